import Kernel
import Storage

/// Lists what needs somebody's eyes: failed and dead events that no replay has resolved.
struct ListFailedWebhooks: Query {
    static let name = "webhooks_failed"
    static let title = "Failed webhooks"
    static let summary =
        "Webhook events that failed and are not yet resolved by a replay, newest first, with the error."
    static let route = Route.get("webhooks/failed")

    @Input("Only this source, e.g. stripe or checkr.", .length(0...50)) var source: String?
    @Input("How many hours back to look.", .range(1...168)) var sinceHours = 24
    @Input("Start instead of since_hours, RFC 3339.") var startTime: Instant?
    @Input("End, RFC 3339; now when left out.") var endTime: Instant?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Row: Codable, Sendable {
        var event: WebhookSummary
        /// Shown to people and models; cleaned, because it may quote a payload.
        var processingError: String?

        // The event's own keys and the error stand side by side.
        init(event: WebhookSummary, processingError: String?) {
            self.event = event
            self.processingError = processingError
        }
        private enum Keys: String, CodingKey { case processingError = "processing_error" }
        init(from decoder: any Decoder) throws {
            event = try WebhookSummary(from: decoder)
            processingError = try decoder.container(keyedBy: Keys.self)
                .decodeIfPresent(String.self, forKey: .processingError)
        }
        func encode(to encoder: any Encoder) throws {
            try event.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encodeIfPresent(processingError, forKey: .processingError)
        }
    }

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            var requestID: String
            var generatedAt: Instant
            var sinceHours: Int
            var returnedCount: Int
            var startTime: Instant
            var endTime: Instant?
            var nextCursor: String?
        }
        var meta: Meta
        var events: [EncodedRow<Row>]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let asked = try TimeWindow(sinceHours: sinceHours, start: startTime, end: endTime, now: context.now)
        let filters = WebhookFilters(source: source.nonEmpty)
        let place = try PageStart(cursor, filters: filters.key, window: asked)
        let window = place.window ?? asked
        // Written as the partial index webhook_events_attention is, so that it is used.
        var filter: SQL =
            " AND status IN ('failed', 'dead_letter') AND resolved_by IS NULL AND replay_of IS NULL"
        if let source = source.nonEmpty { filter += " AND source = \(source)" }
        let (limit, condition) = (limit, filter)
        let events = try await db.read { db in
            try WebhookEvent.page(window, condition, after: place.after, limit: limit + 1, db)
        }
        let page = try ListPage(
            events.map { event in
                let error = event.processingError.map { UntrustedText.cleaned($0, maximumCharacters: 500) }
                return (event.id, Row(event: WebhookSummary(event), processingError: error))
            }, limit: limit, from: place)
        return Output(
            meta: .init(
                requestID: context.requestID, generatedAt: context.now, sinceHours: sinceHours,
                returnedCount: page.rows.count, startTime: window.start, endTime: window.end,
                nextCursor: page.nextCursor),
            events: page.rows)
    }
}
