import Crypto
import JSON
import Storage

/// How an event came into the ledger (`webhook_events.origin`).
package enum WebhookOrigin: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    /// Its source sent it.
    case delivered
    /// Its source was asked for it, because it never arrived.
    case reconciled
}

/// A verified delivery as it will stand in the ledger, redacted.
struct NewEvent: Sendable {
    let id: ULID
    let source, type, eventID, payload, headers: String
    let deliveryID: String?
    let origin: WebhookOrigin
    let context: Context

    init(_ source: String, _ delivery: Delivery, _ request: WebhookRequest, _ context: Context) {
        id = context.newID()
        self.source = source
        type = String(delivery.eventType.prefix(100))
        // Without an id the signed bytes themselves are the identity.
        eventID = delivery.eventID ?? "sha256:" + Secrets.hex(SHA256.hash(data: request.body))
        payload = Redaction.webhookPayload.redacted(delivery.payload).text
        headers = JSONValue.object(Redaction.headers(request.headers)).text
        deliveryID = delivery.deliveryID
        origin = .delivered
        self.context = context
    }

    /// An event that the source was asked for, because it never arrived.
    init(_ source: String, fetched delivery: Delivery, eventID: String, _ context: Context) {
        id = context.newID()
        self.source = source
        type = String(delivery.eventType.prefix(100))
        self.eventID = eventID
        payload = Redaction.webhookPayload.redacted(delivery.payload).text
        headers = "{}"
        deliveryID = nil
        origin = .reconciled
        self.context = context
    }

    /// Inserts the events whose identity is new, counts them and enqueues their
    /// processing.
    /// - Returns: the ids of those that were inserted; the others are in the ledger
    ///   already, or were twice in `events`.
    static func insert(_ events: [NewEvent], _ tx: Transaction) throws -> Set<ULID> {
        // One order for all, so that two transactions with the same events cannot block each other.
        let ordered = events.sorted { ($0.source, $0.eventID) < ($1.source, $1.eventID) }
        let statements = SQL.inserts(
            """
            INSERT INTO webhook_events (id, source, event_type, event_id, payload, headers, status, \
            idempotency_key, received_at, request_id, ip, replay_count, attempt_count, delivery_count, origin) VALUES
            """, ordered.map(\.row), " ON CONFLICT (source, event_id) DO NOTHING RETURNING id")
        let inserted: Set<ULID> = try Set(statements.flatMap { try tx.values($0) })
        let new = events.filter { inserted.contains($0.id) }
        guard !new.isEmpty else { return [] }
        var counts = TallyChanges(WebhookEvent.tally)
        for event in new {
            counts.add(1, at: event.id.instant, [event.source, event.type, WebhookStatus.received.rawValue])
        }
        let jobs = try JobQueue.insert(new.map { (ProcessWebhook(webhook: $0.id), $0.context) })
        try tx.runMany(counts.statements + jobs)
        try tx.notify(JobQueue.channel, "")
        return inserted
    }

    /// Counts one more delivery of an event that is in the ledger.
    /// - Returns: its id there.
    func redeliver(_ tx: Transaction) throws -> ULID {
        let earlier: WebhookEvent? = try tx.one(
            """
            UPDATE webhook_events SET delivery_count = delivery_count + 1, last_delivered_at = \(context.now)
            WHERE source = \(source) AND event_id = \(eventID) RETURNING \(WebhookEvent.summaryColumns)
            """)
        guard let earlier else { throw StorageError.serialization("the first delivery is not visible yet") }
        // The provider insists on something that we gave up on: try again.
        if earlier.status == .deadLetter { try tx.enqueue(ProcessWebhook(webhook: earlier.id)) }
        return earlier.id
    }

    private var row: SQL {
        """
        (\(id), \(source), \(type), \(eventID), \(payload), \(headers), \(WebhookStatus.received), \
        \(deliveryID), \(context.now), \(context.requestID), \(context.ip), 0, 0, 1, \(origin))
        """
    }
}
