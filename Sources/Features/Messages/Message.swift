import JSON
package import Kernel
package import Storage

/// The values of `messages.message_type`.
package enum MessageType: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, SchemaDescribing
{
    case user
    case bookingCreated = "system_booking_created"
    case bookingCancelled = "system_booking_cancelled"
    case bookingRescheduled = "system_booking_rescheduled"
    case bookingCompleted = "system_booking_completed"
    case conversationStarted = "system_conversation_started"
}

/// One row of `messages`.
package struct Message: Sendable, RowDecodable {
    package static let maximumCharacters = 1_000
    /// For how long its writer may change a message.
    package static let editWindow = Duration.seconds(300)

    package var id: ULID
    package var conversationID: ULID
    package var bookingID: ULID?
    /// nil for what the system wrote.
    package var senderID: ULID?
    /// Untrusted words; nil once the message is deleted.
    package var content: String?
    package var type: MessageType
    package var createdAt: Instant
    package var editedAt: Instant?
    package var isDeleted: Bool
    /// When the other one read it; nil until then.
    package var readAt: Instant?

    private static let columns: SQL = """
        messages.id, messages.conversation_id, booking_id, sender_id, content, message_type, created_at, \
        edited_at, is_deleted, (SELECT n.read_at FROM message_notifications AS n \
        WHERE n.message_id = messages.id AND n.user_id <> sender_id)
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        conversationID = try row.get(at: 1)
        bookingID = try row.get(at: 2)
        senderID = try row.get(at: 3)
        type = try row.get(at: 5)
        createdAt = try row.get(at: 6)
        editedAt = try row.get(at: 7)
        isDeleted = try row.get(at: 8)
        readAt = try row.get(at: 9)
        content = isDeleted ? nil : try row.get(at: 4)
    }

    package var subject: Subject { Subject("message", id.description) }

    static func find(_ ids: [ULID], _ db: Snapshot) throws -> [ULID: Message] {
        let found: [Message] = try db.all("SELECT \(columns) FROM messages WHERE id \(in: ids)")
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Of one conversation, the newest first; one statement.
    package static func page(of conversation: ULID, after: ULID?, limit: Int, _ db: Snapshot) throws
        -> [Message]
    {
        var sql: SQL = "SELECT \(columns) FROM messages WHERE messages.conversation_id = \(conversation)"
        if let after { sql += " AND messages.id < \(after)" }
        return try db.all(sql + " ORDER BY messages.id DESC LIMIT \(limit)")
    }

    /// A message that `user` wrote, kept from changing to the end of the transaction.
    /// - Throws: ``Kernel/Failure/Code/notFound`` when they take no part in its conversation,
    ///   ``Kernel/Failure/Code/forbidden`` when the other one wrote it.
    package static func lock(_ id: ULID, by user: ULID, _ tx: Transaction) throws -> Message {
        let found: Message? = try tx.one("SELECT \(columns) FROM messages WHERE id = \(id) \(.forUpdate)")
        let isPart = try found.map { message in
            try tx.value(
                """
                SELECT 1 FROM conversations WHERE id = \(message.conversationID)
                AND (student_id = \(user) OR instructor_id = \(user))
                """, as: Int.self) != nil
        }
        guard let found, isPart == true, !found.isDeleted else {
            throw Failure(.notFound, "There is no message with the id \(id).", reason: "message_not_found")
        }
        guard found.senderID == user else {
            throw Failure(.forbidden, "Only who wrote a message can change it.", reason: "not_the_sender")
        }
        return found
    }
}
