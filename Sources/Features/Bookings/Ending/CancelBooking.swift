import Kernel
import Storage

/// Cancels a lesson for one of the two who have it.
///
/// What it costs is the table of the domain specification §2.5
/// (``CancellationRow``). Cancelled again it stays as it is.
struct CancelBooking: Command {
    static let name = "booking_cancel"
    static let summary = "Cancel a lesson that is not over. Who cancels, and when, decides what it costs."
    static let effect = Effect.destructive
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("bookings/:id/cancel")

    @Input("The booking's id.") var id: ULID
    @Input("Why; the other one reads it.", .length(1...500)) var reason: String
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        var booking = try Booking.lock(id, participant: user, tx)
        guard booking.status != .cancelled else { return try BookingView.of(id, for: context.userID(), tx) }
        guard booking.status != .confirmed || context.now < booking.end else {
            throw Failure(
                .conflict, "The lesson is over; it cannot be cancelled any more.",
                hint: "Report a no-show when it did not take place.", reason: "lesson_over")
        }
        let reason = UntrustedText.cleaned(reason)
        try booking.cancel(by: booking.side(of: user), user: user, reason: reason, tx, context)
        try booking.tellBoth(
            "booking.cancelled", "A lesson was cancelled", "\(booking.occasion) was cancelled.",
            in: .bookingCancelled, tx, context)
        return try BookingView.of(id, for: context.userID(), tx)
    }

    func afterJobs(_ output: BookingView, _ db: Snapshot, _ context: Context) throws -> BookingView {
        try BookingView.of(id, for: context.userID(), db)
    }
}
