import JSON
import Kernel
import Storage

extension Booking {
    /// One that `user` takes part in, locked. Somebody else's is as good as missing.
    static func lock(_ id: ULID, participant user: ULID, _ tx: Transaction) throws -> Booking {
        guard let found = try lock(id, tx), found.isParticipant(user) else { throw notFound(id) }
        return found
    }

    /// One that `user` teaches, locked.
    static func lock(_ id: ULID, taughtBy user: ULID, _ tx: Transaction) throws -> Booking {
        guard let found = try lock(id, tx), found.instructorID == user else { throw notFound(id) }
        return found
    }

    /// On which side of the lesson one who takes part in it is.
    func side(of user: ULID) -> CancelledBy { user == studentID ? .student : .instructor }

    /// "Piano on 2026-11-24 at 10:00": how messages name the lesson.
    var occasion: String {
        let local = LocalZone(zone).local(start)
        let time = ClockTime(minute: local.minute).description.dropLast(3)
        return "\(serviceName.isEmpty ? "Your lesson" : serviceName) on \(local.day) at \(time)"
    }

    /// Tells one of the two what became of the lesson.
    func tell(_ user: ULID, _ type: String, _ title: String, _ body: String, _ tx: Transaction) throws {
        try tx.notify(
            user: user, category: .lessonUpdates, type: type, title: title, body: body,
            key: outboxKey("\(type)/\(user)"), data: ["booking_id": .string(id.description)])
    }

    /// Tells both, and their conversation. An instructor hears nothing of a lesson that
    /// was never confirmed: it was never theirs.
    func tellBoth(
        _ type: String, _ title: String, _ body: String, in message: MessageType? = nil, _ tx: Transaction,
        _ context: Context
    ) throws {
        try tell(studentID, type, title, body, tx)
        guard confirmedAt != nil else { return }
        try tell(instructorID, type, title, body, tx)
        guard let message else { return }
        try Conversation.open(student: studentID, instructor: instructorID, tx, context).conversation
            .announce(message, body, booking: id, tx, context)
    }
}
