import Kernel
import Storage

/// Moves a lesson to another time.
///
/// The old row ends and a new one takes its place, with the same two people, in one
/// transaction. What becomes of the money is ``LessonMove``'s affair.
struct RescheduleBooking: Command {
    static let name = "booking_reschedule"
    static let summary = "Move a lesson, at least 12 hours before it begins; the answer is the new booking."
    static let effect = Effect.destructive
    static let audience = Audience.users
    static let route = Route.post("bookings/:id/reschedule")
    static let creates = true

    @Input("The booking's id.") var id: ULID
    @Input("The new day, YYYY-MM-DD, where the lesson is.") var bookingDate: CalendarDay
    @Input("When it begins, HH:MM, on a quarter of an hour.") var startTime: ClockTime
    @Input("Minutes; as many as before when left out.", .range(15...720)) var selectedDuration: Int?
    @Input("Another service of the same instructor.") var instructorServiceID: ULID?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        let booking = try Booking.lock(id, participant: user, tx)
        var move = try LessonMove(booking, by: user, tx, context)
        let new = try move.perform(
            date: bookingDate, startTime: startTime, minutes: selectedDuration, service: instructorServiceID,
            tx, context)
        return try BookingView.of(new, for: user, tx)
    }

    func afterJobs(_ output: BookingView, _ db: Snapshot, _ context: Context) throws -> BookingView {
        try BookingView.of(output.id, for: context.userID(), db)
    }
}
