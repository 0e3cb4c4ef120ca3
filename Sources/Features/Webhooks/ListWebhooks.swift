import Kernel
import Storage

/// Lists the webhook ledger, newest first.
struct ListWebhooks: Query {
    static let name = "webhooks_list"
    static let title = "List webhooks"
    static let summary =
        "Webhook events of the ledger, newest first, with counts; filter by source, status, type and time."
    static let route = Route.get("webhooks")

    @Input("Only this source, e.g. stripe or checkr.", .length(0...50)) var source: String?
    @Input("Only this status.") var status: WebhookStatus?
    @Input("Only this event type, e.g. payment_intent.succeeded.", .length(0...100)) var eventType: String?
    @Input("How many hours back to look.", .range(1...168)) var sinceHours = 24
    @Input("Start instead of since_hours, RFC 3339.") var startTime: Instant?
    @Input("End, RFC 3339; now when left out.") var endTime: Instant?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            var requestID: String
            var generatedAt: Instant
            var sinceHours: Int
            var totalCount: Int
            var returnedCount: Int
            var startTime: Instant
            var endTime: Instant?
            var filters: WebhookFilters
            var nextCursor: String?
            var note: String?
        }
        var meta: Meta
        var summary: WebhookCounts
        var events: [EncodedRow<WebhookSummary>]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let asked = try TimeWindow(sinceHours: sinceHours, start: startTime, end: endTime, now: context.now)
        let filters = WebhookFilters(
            source: source.nonEmpty, status: status, eventType: eventType.nonEmpty)
        let place = try PageStart(cursor, filters: filters.key, window: asked)
        let window = place.window ?? asked
        let (limit, now) = (limit, context.now)
        let (events, counts) = try await db.read { db in
            (
                try WebhookEvent.page(window, filters.condition, after: place.after, limit: limit + 1, db),
                try WebhookEvent.counts(window, filters, now: now, db)
            )
        }
        let page = try ListPage(
            events.map { ($0.id, WebhookSummary($0)) }, limit: limit, from: place)
        let total = counts.byStatus.values.reduce(0, +)
        return Output(
            meta: .init(
                requestID: context.requestID, generatedAt: now, sinceHours: sinceHours, totalCount: total,
                returnedCount: page.rows.count, startTime: window.start, endTime: window.end,
                filters: filters,
                nextCursor: page.nextCursor,
                note: page.isCutBySize ? "The page was cut at its size limit." : nil),
            summary: counts, events: page.rows)
    }
}

extension WebhookEvent {
    static func page(_ window: TimeWindow, _ filter: SQL, after: ULID?, limit: Int, _ db: Snapshot) throws
        -> [WebhookEvent]
    {
        var sql: SQL = "SELECT \(summaryColumns) FROM webhook_events WHERE \(window.condition)\(filter)"
        if let after { sql += " AND id < \(after)" }
        return try db.all(sql + " ORDER BY id DESC LIMIT \(limit)")
    }

    /// Exact counts of the window: from roll-ups, and from the rows of the minute
    /// that it ends in.
    static func counts(_ window: TimeWindow, _ filters: WebhookFilters, now: Instant, _ db: Snapshot) throws
        -> WebhookCounts
    {
        let rows = try tally.counts(
            from: window.start, to: window.countEnd(now: now),
            filters: [filters.source, filters.eventType, filters.status?.rawValue], db)
        var counts = WebhookCounts(byStatus: [:], bySource: [:])
        for row in rows {
            counts.bySource[row.dimensions[0], default: 0] += row.count
            counts.byStatus[row.dimensions[2], default: 0] += row.count
        }
        guard let remainder = window.remainder else { return counts }
        let last = try db.rows(
            """
            SELECT source, status, COUNT(*) FROM webhook_events WHERE \(remainder)\(filters.condition)
            GROUP BY source, status
            """)
        for row in last {
            counts.bySource[try row.get(at: 0), default: 0] += try row.get(at: 2, as: Int.self)
            counts.byStatus[try row.get(at: 1), default: 0] += try row.get(at: 2, as: Int.self)
        }
        return counts
    }
}

extension String? {
    /// Clients send an empty text for a filter that they do not mean.
    var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}
