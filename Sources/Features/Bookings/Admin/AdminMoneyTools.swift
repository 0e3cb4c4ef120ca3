import JSON
import Kernel
import Storage

/// Refunds a booking, all of it or a part.
struct RefundBooking: Command {
    static let name = "admin_booking_refund"
    static let summary = "Give a booking's money back, all or a part; refund_status says what came of it."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageFinancials)
    static let route = Route.post("admin/bookings/:id/refund")
    static let action = "booking.admin_refund"

    @Input("The booking's id.") var id: ULID
    @Input("Cents; everything that was paid when left out.", .range(1...100_000_000)) var amountCents: Int?
    @Input("Why.") var reason: RefundReason
    @Input("For the record.", .length(0...1_000)) var note: String?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = AdminMoneyView

    func run(_ tx: Transaction, _ context: Context) throws -> AdminMoneyView {
        guard var booking = try Booking.lock(id, tx) else { throw Booking.notFound(id) }
        let refund = try booking.refund(amountCents, outcome: reason.outcome, tx, context)
        return try AdminMoneyView.of(id, refund, tx)
    }

    func afterJobs(_ output: AdminMoneyView, _ db: Snapshot, _ context: Context) throws -> AdminMoneyView {
        try output.again(db)
    }
}

/// Cancels a booking in the platform's name.
struct AdminCancelBooking: Command {
    static let name = "admin_booking_cancel"
    static let summary = "Cancel a confirmed booking; what is not captured is released, the rest on request."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageFinancials)
    static let route = Route.post("admin/bookings/:id/cancel")
    static let action = "booking.admin_cancel"

    @Input("The booking's id.") var id: ULID
    @Input("Why; both people read it.", .length(1...100)) var reason: String
    @Input("For the record.", .length(0...1_000)) var note: String?
    @Input("Give back what was paid.") var refund = false
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = AdminMoneyView

    func run(_ tx: Transaction, _ context: Context) throws -> AdminMoneyView {
        guard var booking = try Booking.lock(id, tx) else { throw Booking.notFound(id) }
        let done = try booking.cancel(
            byAdmin: context.userID(), reason: UntrustedText.cleaned(reason), refunds: refund, tx, context)
        try booking.tellBoth(
            "booking.cancelled", "A lesson was cancelled", "\(booking.occasion) was cancelled by us.",
            in: .bookingCancelled, tx, context)
        return try AdminMoneyView.of(id, done, tx)
    }

    func afterJobs(_ output: AdminMoneyView, _ db: Snapshot, _ context: Context) throws -> AdminMoneyView {
        try output.again(db)
    }
}

/// Says how a lesson went.
struct SetBookingStatus: Command {
    static let name = "admin_booking_complete"
    static let summary = "Say that a confirmed lesson took place, or that somebody did not come."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageFinancials)
    static let route = Route.post("admin/bookings/:id/complete")
    static let action = "booking.admin_complete"

    /// What an administrator may say.
    enum Status: String, Codable, CaseIterable, InputEnum {
        case completed = "COMPLETED", noShow = "NO_SHOW"
    }

    @Input("The booking's id.") var id: ULID
    @Input("What it becomes.") var status: Status
    @Input("Of NO_SHOW: who did not come. They may dispute it for a day.") var noShowType = NoShowType.student
    @Input("For the record.", .length(0...1_000)) var note: String?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = AdminBookingView

    func run(_ tx: Transaction, _ context: Context) throws -> AdminBookingView {
        guard var booking = try Booking.lock(id, tx) else { throw Booking.notFound(id) }
        guard booking.status == .confirmed else {
            throw Failure(
                .conflict,
                "Only a CONFIRMED booking can be set to \(status.rawValue); this one is "
                    + "\(booking.status.rawValue).",
                reason: "booking_not_confirmed")
        }
        switch status {
        case .completed:
            try booking.requireOver(context)
            try booking.move(to: .completed, tx, context)
        case .noShow:
            try NoShow.report(
                noShowType, on: &booking, by: context.userID(), isLate: true, tx, context)
        }
        return try AdminBookingView.of(id, tx)
    }
}

/// Ends a report of a no-show.
struct ResolveNoShow: Command {
    static let name = "admin_booking_resolve_no_show"
    static let summary = "End a report of a no-show: confirmed, the lesson took place, or withdrawn."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageFinancials)
    static let route = Route.post("admin/bookings/:id/no-show/resolve")
    static let action = "booking.admin_resolve_no_show"

    /// The job alone says `confirmed_no_dispute`.
    enum Decision: String, Codable, CaseIterable, InputEnum {
        case confirmedAfterReview = "confirmed_after_review"
        case disputeUpheld = "dispute_upheld"
        case cancelled

        var resolution: NoShow.Resolution {
            switch self {
            case .confirmedAfterReview: .confirmedAfterReview
            case .disputeUpheld: .disputeUpheld
            case .cancelled: .cancelled
            }
        }
    }

    @Input("The booking's id.") var id: ULID
    @Input("How it ends.") var resolution: Decision
    @Input("For the record.", .length(0...1_000)) var adminNotes: String?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = AdminBookingView

    func run(_ tx: Transaction, _ context: Context) throws -> AdminBookingView {
        guard var booking = try Booking.lock(id, tx) else { throw Booking.notFound(id) }
        try NoShow.resolve(
            &booking, resolution.resolution, by: context.userID(),
            notes: adminNotes.map { UntrustedText.cleaned($0) }, tx, context)
        return try AdminBookingView.of(id, tx)
    }

    func afterJobs(_ output: AdminBookingView, _ db: Snapshot, _ context: Context) throws
        -> AdminBookingView
    {
        try AdminBookingView.of(id, db)
    }
}
