import Crypto
import JSON
package import Storage

/// The append-only record of what every webhook source has told us.
///
/// A delivery is stored, whole and redacted, and committed before anything
/// looks at it and before it is acknowledged. Two deliveries with the same
/// source and identity are one delivery, decided by a unique index; the
/// second only raises the first one's `delivery_count`.
package struct WebhookLedger: Sendable {
    /// What became of a delivery.
    package enum Receipt: Sendable, Hashable {
        case stored(ULID)
        case duplicate(ULID)
    }

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// Verifies, stores and commits; returns only when the row is durable.
    package func receive(_ source: any WebhookSource.Type, _ request: WebhookRequest, _ context: Context)
        async throws
        -> Receipt
    {
        let delivery = try source.verify(request, context)
        let row = NewEvent(source.name, delivery, request, context)
        return try await database.transaction(context, category: .automated) { tx, _ in
            try Self.store(row, tx)
        }
    }

    private static func store(_ new: NewEvent, _ tx: Transaction) throws -> Receipt {
        let inserted: ULID? = try tx.value(
            """
            INSERT INTO webhook_events (id, source, event_type, event_id, payload, headers, status, \
            idempotency_key, received_at, request_id, ip, replay_count, attempt_count, delivery_count)
            VALUES (\(new.id), \(new.source), \(new.type), \(new.eventID), \(new.payload), \(new.headers), \
            \(WebhookStatus.received), \(new.deliveryID), \(new.receivedAt), \(new.requestID), \(new.ip), 0, 0, 1)
            ON CONFLICT (source, event_id) DO NOTHING RETURNING id
            """)
        if let inserted {
            try WebhookEvent.count(1, inserted, new.source, new.type, .received, tx)
            try tx.enqueue(ProcessWebhook(webhook: inserted))
            return .stored(inserted)
        }
        let earlier: WebhookEvent? = try tx.one(
            """
            UPDATE webhook_events SET delivery_count = delivery_count + 1, last_delivered_at = \(new.receivedAt)
            WHERE source = \(new.source) AND event_id = \(new.eventID) RETURNING \(WebhookEvent.summaryColumns)
            """)
        guard let earlier else { throw StorageError.serialization("the first delivery is not visible yet") }
        // The provider insists on something that we gave up on: try again.
        if earlier.status == .deadLetter { try tx.enqueue(ProcessWebhook(webhook: earlier.id)) }
        return .duplicate(earlier.id)
    }

    private struct NewEvent: Sendable {
        var id: ULID
        var source, type, eventID, payload, headers: String
        var deliveryID: String?
        var receivedAt: Instant
        var requestID: String
        var ip: String?

        init(_ source: String, _ delivery: Delivery, _ request: WebhookRequest, _ context: Context) {
            id = context.newID()
            self.source = source
            type = String(delivery.eventType.prefix(100))
            // Without an id the signed bytes themselves are the identity.
            eventID = delivery.eventID ?? "sha256:" + Secrets.hex(SHA256.hash(data: request.body))
            payload = Redaction.webhookPayload.redacted(delivery.payload).text
            headers = JSONValue.object(Redaction.headers(request.headers)).text
            deliveryID = delivery.deliveryID
            receivedAt = context.now
            requestID = context.requestID
            ip = context.ip
        }
    }
}
