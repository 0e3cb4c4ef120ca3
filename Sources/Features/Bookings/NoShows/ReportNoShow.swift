import Kernel
import Storage

/// Reports that the other one did not come.
struct ReportNoShow: Command {
    static let name = "booking_report_no_show"
    static let summary = "Say that the other one did not come to a lesson, until a day after its end."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let route = Route.post("bookings/:id/no-show")
    static let action = "booking.report_no_show"

    @Input("The booking's id.") var id: ULID
    @Input("Who did not come; a student reports the instructor, an instructor the student.")
    var noShowType: NoShowType
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        guard var booking = try Booking.lock(id, tx) else { throw Booking.notFound(id) }
        let isAdmin = context.actor.permissions.contains(.manageAllBookings)
        guard booking.isParticipant(user) || isAdmin else { throw Booking.notFound(id) }
        let other = noShowType == .instructor ? booking.studentID : booking.instructorID
        guard user == other || isAdmin && !booking.isParticipant(user) else {
            throw Failure(
                .forbidden, "The \(noShowType.rawValue)'s no-show is for the other one to report.",
                reason: "no_show_not_yours")
        }
        try NoShow.report(noShowType, on: &booking, by: user, tx, context)
        // An administrator sees what the student sees.
        return try BookingView.of(id, for: booking.isParticipant(user) ? user : booking.studentID, tx)
    }
}

/// Says that one came.
struct DisputeNoShow: Command {
    static let name = "booking_dispute_no_show"
    static let summary = "Dispute a report that one did not come, once and within a day."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let route = Route.post("bookings/:id/no-show/dispute")
    static let action = "booking.dispute_no_show"

    @Input("The booking's id.") var id: ULID
    @Input("What happened.", .length(10...500)) var reason: String
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        let booking = try Booking.lock(id, participant: user, tx)
        guard let report = try NoShow.of(id, tx) else {
            throw Failure(.conflict, "No no-show was reported.", reason: "no_show_not_reported")
        }
        try report.dispute(UntrustedText.cleaned(reason), booking, by: user, tx, context)
        return try BookingView.of(id, for: context.userID(), tx)
    }
}
