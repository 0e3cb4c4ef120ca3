import JSON
import Kernel
import Storage

/// Changes what the instructor says of a lesson.
struct UpdateBooking: Command {
    static let name = "booking_update"
    static let summary = "Change your note or the meeting place of a lesson that you give."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.patch("bookings/:id")
    static let action = "booking.change"

    @Input("The booking's id.") var id: ULID
    @Input("Your note; an empty one takes it away.", .length(0...1_000)) var instructorNote: String?
    @Input("Where to meet; an empty text takes it away.", .length(0...500)) var meetingLocation: String?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        guard let booking = try Booking.lock(id, tx), booking.instructorID == user,
            let old = try BookingDetails.find(id, tx)
        else { throw Booking.notFound(id) }
        guard booking.status != .cancelled, booking.status != .paymentFailed else {
            throw Failure(
                .conflict, "The lesson does not take place (\(booking.status.rawValue)).",
                reason: "booking_is_over")
        }
        let note = instructorNote == nil ? old.instructorNote : instructorNote.nonEmpty
        let meeting = meetingLocation == nil ? old.meetingLocation : meetingLocation.nonEmpty
        let difference = changes(
            from: [
                "instructor_note": text(old.instructorNote), "meeting_location": text(old.meetingLocation),
            ],
            to: ["instructor_note": text(note), "meeting_location": text(meeting)])
        guard !difference.isEmpty else { return try BookingView.of(booking, tx) }
        try tx.run(
            """
            UPDATE bookings SET instructor_note = \(note), meeting_location = \(meeting), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        try tx.audit("booking.update", booking.subject, changes: difference)
        return try BookingView.of(booking, tx)
    }

    private func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
}
