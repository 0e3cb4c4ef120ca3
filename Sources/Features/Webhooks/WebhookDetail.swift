import JSON
import Kernel
import Storage

/// Shows one event whole: payload, headers, error and every attempt.
struct WebhookDetail: Query {
    static let name = "webhook_detail"
    static let title = "Webhook detail"
    static let summary =
        "One webhook event with its redacted payload and headers, its error and its attempts."
    static let route = Route.get("webhooks/:event_id")
    /// A payload larger than this is left to the resource, so that the answer fits its reader.
    static let payloadLimit = 64_000

    @Input("Ledger id, as returned by webhooks_list.") var eventID: ULID

    @Input("Also a payload of more than 64 KB, which is left out otherwise.") var fullPayload = false

    var subject: Subject? { Subject("webhook", eventID.description) }

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            var requestID: String
            var generatedAt: Instant
            var note: String?
        }
        var meta: Meta
        var event: Event
    }

    struct Event: Codable, Sendable {
        var id: ULID
        var source: String
        var eventType: String
        var eventID: String?
        var status: WebhookStatus
        var receivedAt: Instant
        var processedAt: Instant?
        var processingDurationMS: Int?
        var relatedEntity: String?
        var replayOf: ULID?
        var replayCount: Int
        var deliveryCount: Int
        /// Untrusted: what the source sent, redacted.
        var payload: RawJSON
        var headers: RawJSON?
        var processingError: String?
        var idempotencyKey: String?
        var attempts: [WebhookAttempt]
        var replays: [ULID]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let id = eventID
        let found = try await db.read { db -> (WebhookEvent, [WebhookAttempt], [ULID])? in
            guard let (event, attempts) = try WebhookEvent.findWithAttempts(id, db) else { return nil }
            let replays: [ULID] =
                event.replayCount == 0 ? [] : try WebhookEvent.replays(of: id, db)
            return (event, attempts, replays)
        }
        guard let (event, attempts, replays) = found else { throw Failure.unknownWebhook(id) }
        let isTooLarge = !fullPayload && event.payload.utf8.count > Self.payloadLimit
        return Output(
            meta: .init(
                requestID: context.requestID, generatedAt: context.now,
                note: isTooLarge ? "The payload is large; read it at instainstru://webhooks/\(id)." : nil),
            event: Event(event, attempts, replays, withPayload: !isTooLarge))
    }
}

extension WebhookDetail.Event {
    init(_ event: WebhookEvent, _ attempts: [WebhookAttempt], _ replays: [ULID], withPayload: Bool) {
        let summary = WebhookSummary(event)
        id = event.id
        source = summary.source
        eventType = summary.eventType
        eventID = summary.eventID
        status = event.status
        receivedAt = event.receivedAt
        processedAt = event.processedAt
        processingDurationMS = event.processingDurationMS
        relatedEntity = summary.relatedEntity
        replayOf = event.replayOf
        replayCount = event.replayCount
        deliveryCount = event.deliveryCount
        payload = UntrustedText.cleaned(json: withPayload ? event.payload : "{}")
        headers = event.headers.map { UntrustedText.cleaned(json: $0) }
        processingError = event.processingError.map { UntrustedText.cleaned($0, maximumCharacters: 1_000) }
        idempotencyKey = event.idempotencyKey.map { UntrustedText.cleaned($0, maximumCharacters: 255) }
        self.attempts = attempts
        self.replays = replays
    }
}

extension WebhookEvent {
    static func replays(of id: ULID, _ db: Snapshot) throws -> [ULID] {
        try db.values("SELECT id FROM webhook_events WHERE replay_of = \(id) ORDER BY id LIMIT 50")
    }
}

extension Failure {
    static func unknownWebhook(_ id: ULID) -> Failure {
        Failure(
            .notFound, "There is no webhook event with the id \(id).",
            hint: "webhooks_list shows ledger ids; the provider's evt_… id is event_id there.",
            reason: "webhook_not_found")
    }
}
