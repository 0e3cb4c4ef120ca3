package import Kernel
package import Storage

/// The values of `event_outbox.status`.
package enum OutboxStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    /// No provider has it.
    case pending = "PENDING"
    /// A call to the provider was begun, and whether it took the message is not known yet.
    case sending = "SENDING"
    case sent = "SENT"
    /// No provider has it, and none will be asked again.
    case failed = "FAILED"
    /// A provider may have it; it was not asked again, lest it be sent twice.
    case unknown = "UNKNOWN"

    var isOpen: Bool { self == .pending || self == .sending }
}

/// One row of `event_outbox`: a message from the moment it is wanted until it is sent.
///
/// The domain specification has a second table, `notification_delivery`, against
/// which each delivery is checked. Here the row says itself whether it was
/// delivered, under the same unique key: one truth, and one place with personal data.
package struct OutboxMessage: Sendable, RowDecodable {
    package var id: ULID
    package var kind: MessageKind
    package var eventType: String
    package var recipient: String
    package var subject: String?
    /// Erased once the message is sent, as is ``html``: reset links and codes are in them.
    package var text: String?
    package var html: String?
    package var idempotencyKey: String
    package var status: OutboxStatus
    /// Calls to a provider.
    package var attemptCount: Int
    /// When the last call was begun.
    package var calledAt: Instant?
    package var provider: String?
    /// Who it is from; of a call that may have succeeded, so that a repeat is the same.
    package var sender: String?
    package var createdAt: Instant

    /// Nothing is sent later than this after it was wanted. Less than the 24 hours for
    /// which Resend remembers a key, so that a repeat is never a second message.
    package static let lifetime = Duration.seconds(23 * 3_600)

    func isExpired(at now: Instant) -> Bool { now > createdAt + Self.lifetime }

    private static let columns: SQL = """
        id, kind, event_type, recipient, subject, body, html, idempotency_key, status, attempt_count, \
        called_at, provider, sender, created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        kind = try row.get(at: 1)
        eventType = try row.get(at: 2)
        recipient = try row.get(at: 3)
        subject = try row.get(at: 4)
        text = try row.get(at: 5)
        html = try row.get(at: 6)
        idempotencyKey = try row.get(at: 7)
        status = try row.get(at: 8)
        attemptCount = try row.get(at: 9)
        calledAt = try row.get(at: 10)
        provider = try row.get(at: 11)
        sender = try row.get(at: 12)
        createdAt = try row.get(at: 13)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> OutboxMessage? {
        try db.one("SELECT \(columns) FROM event_outbox WHERE id = \(id)")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> OutboxMessage? {
        try tx.one("SELECT \(columns) FROM event_outbox WHERE id = \(id) \(.forUpdate)")
    }

    /// Of the messages that are due longest, those that have no job.
    static func stranded(_ limit: Int, _ db: Snapshot, now: Instant) throws -> [ULID] {
        let due: [ULID] = try db.values(
            """
            SELECT id FROM event_outbox WHERE status IN ('PENDING', 'SENDING') AND next_attempt_at <= \(now)
            ORDER BY next_attempt_at LIMIT \(limit)
            """)
        let keys = due.compactMap { DeliverEvent(message: $0).uniqueKey }
        let busy: [String] = try db.values(
            "SELECT unique_key FROM jobs WHERE unique_key \(in: keys) AND state <> 'discarded'")
        let known = Set(busy)
        return zip(due, keys).filter { !known.contains($1) }.map(\.0)
    }

    /// Which of a provider's ids are known to be those of other messages.
    static func claimed(_ ids: [String], provider: String, _ db: Snapshot) throws -> Set<String> {
        Set(
            try db.values(
                """
                SELECT provider_message_id FROM event_outbox
                WHERE provider = \(provider) AND provider_message_id \(in: ids)
                """))
    }
}

let notificationMigration = Migration("0201_notifications") { _ in
    [
        """
        CREATE TABLE event_outbox (
            id \(.id) PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('email', 'sms')), event_type TEXT NOT NULL,
            aggregate_id TEXT, recipient TEXT NOT NULL, subject TEXT, body TEXT, html TEXT,
            idempotency_key TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'FAILED', 'UNKNOWN')),
            attempt_count INTEGER NOT NULL CHECK (attempt_count >= 0), next_attempt_at BIGINT, called_at BIGINT,
            provider TEXT, sender TEXT, provider_message_id TEXT, last_error TEXT, request_id TEXT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, sent_at BIGINT,
            CHECK (kind = 'sms' OR subject IS NOT NULL),
            CHECK ((status IN ('PENDING', 'SENDING')) = (next_attempt_at IS NOT NULL)),
            CHECK (status <> 'SENDING' OR (called_at IS NOT NULL AND provider IS NOT NULL)),
            CHECK ((status = 'SENT') = (sent_at IS NOT NULL)),
            CHECK (status = 'SENT' OR body IS NOT NULL))
        """,
        """
        CREATE INDEX event_outbox_due ON event_outbox (next_attempt_at)
        WHERE status IN ('PENDING', 'SENDING')
        """,
        """
        CREATE UNIQUE INDEX event_outbox_provider ON event_outbox (provider, provider_message_id)
        WHERE provider_message_id IS NOT NULL
        """,
        """
        CREATE TABLE mailbox_messages (
            id \(.id) PRIMARY KEY REFERENCES event_outbox (id),
            kind TEXT NOT NULL CHECK (kind IN ('email', 'sms')), event_type TEXT NOT NULL, sender TEXT NOT NULL,
            recipient TEXT NOT NULL, subject TEXT, body TEXT NOT NULL, html TEXT,
            idempotency_key TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX mailbox_messages_recipient ON mailbox_messages (recipient, id)",
    ]
}
