import Kernel
import Storage

/// What Checkr told us.
struct ListCheckWebhooks: Query {
    static let name = "bgc_webhooks_list"
    static let summary = "Checkr's events of the webhook ledger, newest first."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/webhooks")
    static let action = "background_check.view_webhooks"

    @Input("Only this event type, e.g. report.completed.", .length(1...100)) var event: String?
    @Input("Only this status of the ledger.") var status: WebhookStatus?
    @Input("How many hours back to look.", .range(1...720)) var sinceHours = 168
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        var items: [EncodedRow<WebhookSummary>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let asked = try TimeWindow(sinceHours: sinceHours, start: nil, end: nil, now: context.now)
        let filters = WebhookFilters(source: CheckrWebhook.name, status: status, eventType: event)
        let place = try PageStart(cursor, filters: filters.key, window: asked)
        let (window, limit) = (place.window ?? asked, limit)
        let events = try await db.read {
            try WebhookEvent.page(window, filters.condition, after: place.after, limit: limit + 1, $0)
        }
        let page = try ListPage(events.map { ($0.id, WebhookSummary($0)) }, limit: limit, from: place)
        return Output(items: page.rows, nextCursor: page.nextCursor)
    }
}

/// How many events Checkr sent and what became of them.
struct CountCheckWebhooks: Query {
    static let name = "bgc_webhooks_stats"
    static let summary = "How many events Checkr sent, by type and by what became of them."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/webhooks/stats")
    static let action = "background_check.view_webhooks"

    @Input("How many hours back to look.", .range(1...720)) var sinceHours = 168

    struct Output: Codable, Sendable {
        var start: Instant
        var total: Int
        var byStatus: [String: Int]
        var byEvent: [String: Int]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (now, hours) = (context.now, sinceHours)
        let window = try TimeWindow(sinceHours: hours, start: nil, end: nil, now: now)
        let counts = try await db.read { db in
            try WebhookEvent.tally.counts(
                from: window.start, to: window.countEnd(now: now), filters: [CheckrWebhook.name], db)
        }
        var output = Output(start: window.start, total: 0, byStatus: [:], byEvent: [:])
        for count in counts {
            output.total += count.count
            output.byEvent[count.dimensions[1], default: 0] += count.count
            output.byStatus[count.dimensions[2], default: 0] += count.count
        }
        return output
    }
}
