package import Kernel
package import Storage

/// One row of `mailbox_messages`: a message that was kept here instead of sent.
package struct MailboxMessage: Sendable, Codable, RowDecodable {
    package var id: ULID
    package var kind: MessageKind
    package var eventType: String
    package var sender: String
    package var recipient: String
    package var subject: String?
    package var text: String
    package var html: String?
    package var idempotencyKey: String
    package var createdAt: Instant

    private static let columns: SQL = """
        id, kind, event_type, sender, recipient, subject, body, html, idempotency_key, created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        kind = try row.get(at: 1)
        eventType = try row.get(at: 2)
        sender = try row.get(at: 3)
        recipient = try row.get(at: 4)
        subject = try row.get(at: 5)
        text = try row.get(at: 6)
        html = try row.get(at: 7)
        idempotencyKey = try row.get(at: 8)
        createdAt = try row.get(at: 9)
    }

    /// The newest first.
    package static func list(_ limit: Int, to recipient: String? = nil, _ db: Snapshot) throws
        -> [MailboxMessage]
    {
        let filter: SQL = recipient.map { "WHERE recipient = \($0)" } ?? ""
        return try db.all("SELECT \(columns) FROM mailbox_messages \(filter) ORDER BY id DESC LIMIT \(limit)")
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> MailboxMessage? {
        try db.one("SELECT \(columns) FROM mailbox_messages WHERE id = \(id)")
    }

    /// Keeps a message, once.
    static func add(_ message: OutboxMessage, _ tx: Transaction, now: Instant) throws {
        try tx.run(
            """
            INSERT INTO mailbox_messages (id, kind, event_type, sender, recipient, subject, body, html, \
            idempotency_key, created_at)
            VALUES (\(message.id), \(message.kind), \(message.eventType), \(message.sender ?? ""), \
            \(message.recipient), \(message.subject), \(message.text ?? ""), \(message.html), \
            \(message.idempotencyKey), \(now)) ON CONFLICT (id) DO NOTHING
            """)
    }
}
