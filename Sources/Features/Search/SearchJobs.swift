import JSON
import Kernel
import Storage

/// How many searches of the last day somebody did something with; every hour.
struct CalculateSearchMetrics: ScheduledJob {
    static let name = "app.tasks.search_analytics.calculate_search_metrics"
    static let queue = Queue.analytics
    static let priority = 4
    static let isDatabaseOnly = true
    static let hoursBack = 24

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("calculate-search-metrics", cron: "0 * * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let end = Tally.floor(attempt.context.environment.now())
        let start = end - .seconds(Self.hoursBack * 3_600)
        try await attempt.settle { tx, _ in
            let events = try SearchEvent.tally.counts(from: start, to: end, filters: [], tx)
            func count(_ what: String) -> Int {
                events.filter { $0.dimensions[0] == what }.reduce(0) { $0 + $1.count }
            }
            let (all, interacted) = (count("all"), count("interacted"))
            let body: JSONValue = [
                "hours": .int(Self.hoursBack), "searches": .int(all), "with_interaction": .int(interacted),
                "interaction_rate": .double(ReadSearchMetrics.percent(interacted, all)),
            ]
            try AnalyticsReport(kind: .searchMetrics, start: start, body: body).store(tx, now: end)
            attempt.summarize("\(all) searches, \(interacted) with an interaction")
            return .completed
        }
    }
}

/// What was searched for in the last week; every day.
struct GenerateSearchInsights: ScheduledJob {
    static let name = "app.tasks.search_analytics.generate_search_insights"
    static let queue = Queue.analytics
    static let priority = 3
    static let isDatabaseOnly = true
    static let daysBack = 7

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("generate-search-insights", cron: "0 4 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let end = Tally.floor(attempt.context.environment.now())
        let start = end - .seconds(Self.daysBack * 86_400)
        try await attempt.settle { tx, _ in
            let spread = try SearchStatistics.distribution(from: start, to: end, tx)
            let total = spread.values.reduce(0, +)
            let top = try SearchStatistics.top(from: start, to: end, minimum: 2, limit: 20, tx)
            let missed = try SearchStatistics.top(
                from: start, to: end, minimum: 2, limit: 20, onlyWithoutResults: true, tx)
            let body: JSONValue = [
                "days": .int(Self.daysBack), "total_searches": .int(total),
                "zero_result_rate": .double(
                    SearchStatistics.ratio(spread[SearchRecord.Spread.none.rawValue] ?? 0, total)),
                "top_queries": try JSONCoding.value(top), "zero_results": try JSONCoding.value(missed),
            ]
            try AnalyticsReport(kind: .searchInsights, start: start, body: body).store(tx, now: end)
            attempt.summarize("\(total) searches in \(Self.daysBack) days")
            return .completed
        }
    }
}

/// The numbers of the day that is over; every day.
struct GenerateDailyReport: ScheduledJob {
    static let name = "app.tasks.analytics.generate_daily_report"
    static let queue = Queue.analytics
    static let priority = 3
    static let isDatabaseOnly = true

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("generate-daily-analytics-report", cron: "30 2 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        let day: Int64 = 86_400_000_000
        let end = Instant(microseconds: now.microseconds - now.microseconds % day)
        let start = Instant(microseconds: end.microseconds - day)
        try await attempt.settle { tx, _ in
            let ids: SQL = "id >= \(ULID.first(at: start)) AND id < \(ULID.first(at: end))"
            func count(_ table: String) throws -> Int {
                try tx.value("SELECT COUNT(*) FROM \(identifier: table) WHERE \(ids)", as: Int.self) ?? 0
            }
            let spread = try SearchStatistics.distribution(from: start, to: end, tx)
            let body: JSONValue = [
                "day": .string(CalendarDay(number: Int(start.microseconds / day)).description),
                "users_created": .int(try count("users")), "bookings_created": .int(try count("bookings")),
                "services_added": .int(try count("instructor_services")),
                "searches": .int(spread.values.reduce(0, +)),
                "zero_result_searches": .int(spread[SearchRecord.Spread.none.rawValue] ?? 0),
                "search_clicks": .int(try count("search_clicks")),
            ]
            try AnalyticsReport(kind: .daily, start: start, body: body).store(tx, now: now)
            return .completed
        }
    }
}
