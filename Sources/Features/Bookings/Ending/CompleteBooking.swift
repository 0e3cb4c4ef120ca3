import JSON
import Kernel
import Storage

extension Booking {
    /// The instructor says that the lesson took place. It is paid a day after its end.
    mutating func completeByInstructor(_ tx: Transaction, _ context: Context) throws {
        guard status == .confirmed else {
            throw Failure(
                .conflict, "Only a CONFIRMED booking can be completed; this one is \(status.rawValue).",
                reason: "booking_not_confirmed")
        }
        try requireOver(context)
        try move(to: .completed, tx, context)
        try tx.note(.instructorMarkedComplete, id, source: "complete")
        try tellBoth(
            "booking.completed", "The lesson is completed", "\(occasion) is completed.",
            in: .bookingCompleted, tx, context)
    }

    /// - Throws: ``Kernel/Failure/Code/conflict`` before the lesson has ended.
    func requireOver(_ context: Context) throws {
        guard context.now >= end else {
            throw Failure(
                .conflict, "The lesson ends at \(end); it can be completed from then on.",
                reason: "lesson_not_over")
        }
    }
}

/// Completes one's own lesson.
struct CompleteBooking: Command {
    static let name = "booking_complete"
    static let summary = "Say that one's own lesson took place, after its end."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.completeBookings)
    static let route = Route.post("bookings/:id/complete")

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        var booking = try Booking.lock(id, taughtBy: context.userID(), tx)
        try booking.completeByInstructor(tx, context)
        return try BookingView.of(id, for: context.userID(), tx)
    }
}

/// The same from the instructor's list.
struct CompleteTaughtBooking: Command {
    static let name = "instructor_booking_complete"
    static let summary = "Say that one's own lesson took place, after its end."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.completeBookings)
    static let route = Route.post("instructor-bookings/:id/complete")
    static let action = "booking.mark_complete"

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        var booking = try Booking.lock(id, taughtBy: context.userID(), tx)
        try booking.completeByInstructor(tx, context)
        return try BookingView.of(id, for: context.userID(), tx)
    }
}

/// Says that something is wrong with a lesson that counts as held: nothing is
/// captured until somebody has looked.
struct DisputeCompletion: Command {
    static let name = "instructor_booking_dispute"
    static let summary = "Have somebody look at the payment of one's own lesson before it is captured."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.completeBookings)
    static let route = Route.post("instructor-bookings/:id/dispute")
    static let action = "booking.dispute_completion"

    @Input("The booking's id.") var id: ULID
    @Input("What is wrong.", .length(1...500)) var reason: String
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        var booking = try Booking.lock(id, taughtBy: context.userID(), tx)
        guard booking.paymentStatus == .authorized else {
            throw Failure(
                .conflict,
                "Only an authorized payment can be disputed; this one is "
                    + "\(booking.paymentStatus?.rawValue ?? "none").",
                reason: "payment_not_authorized")
        }
        try MoneyPlan.requireIdle(id, tx)
        try booking.pay(.manualReview, tx, context)
        try tx.note(
            .completionDisputed, id, source: context.newID().description,
            ["reason": .string(UntrustedText.cleaned(reason))])
        return try BookingView.of(id, for: context.userID(), tx)
    }
}
