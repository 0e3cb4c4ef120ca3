import Kernel
import Storage

/// Totals of searches.
struct ReadSearchMetrics: Query {
    static let name = "search_analytics_metrics"
    static let summary = "How many searches there were, of how many people, and how many results they had."
    static let audience = Audience.holders(.viewSystemAnalytics)
    static let route = Route.get("search/analytics/metrics")

    @Input("How many days back.", .range(1...90)) var days = 30

    struct Output: Codable, Sendable {
        var days: Int
        var totalSearches: Int
        var zeroResultSearches: Int
        /// In percent, two decimals.
        var zeroResultRate: Double
        var resultDistribution: [String: Int]
        /// Of the searches that were recorded in histories.
        var recordedSearches: Int
        var searchesByType: [String: Int]
        var searchesWithInteraction: Int
        /// In percent, two decimals.
        var interactionRate: Double
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (days, now) = (days, context.now)
        let start = Tally.floor(now - .seconds(days * 86_400))
        let end = Tally.floor(now + .seconds(180))
        return try await db.read { db in
            let spread = try SearchStatistics.distribution(from: start, to: end, db)
            let events = try SearchEvent.tally.counts(from: start, to: end, filters: [], db)
            let total = spread.values.reduce(0, +)
            let nothing = spread[SearchRecord.Spread.none.rawValue] ?? 0
            let recorded = events.filter { $0.dimensions[0] == "all" }
            let interacted = events.filter { $0.dimensions[0] == "interacted" }.reduce(0) { $0 + $1.count }
            let all = recorded.reduce(0) { $0 + $1.count }
            return Output(
                days: days, totalSearches: total, zeroResultSearches: nothing,
                zeroResultRate: Self.percent(nothing, total), resultDistribution: spread,
                recordedSearches: all,
                searchesByType: recorded.reduce(into: [:]) { $0[$1.dimensions[1]] = $1.count },
                searchesWithInteraction: interacted, interactionRate: Self.percent(interacted, all))
        }
    }

    static func percent(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 0 : SearchStatistics.rounded(Double(part) * 100 / Double(whole), places: 100)
    }
}

/// A list of texts that were searched for.
struct TopQueries: Codable, Sendable {
    var days: Int
    var queries: [SearchStatistics.TopQuery]
    var totalSearches: Int
    /// Zero results of all, four decimals.
    var zeroResultRate: Double
    var note: String?

    static func read(_ db: Reader, days: Int, minimum: Int, limit: Int, withoutResults: Bool, now: Instant)
        async throws -> TopQueries
    {
        let start = Tally.floor(now - .seconds(days * 86_400))
        let end = Tally.floor(now + .seconds(180))
        return try await db.read { db in
            let spread = try SearchStatistics.distribution(from: start, to: end, db)
            let total = spread.values.reduce(0, +)
            let nothing = spread[SearchRecord.Spread.none.rawValue] ?? 0
            let top = try SearchStatistics.top(
                from: start, to: end, minimum: minimum, limit: limit, onlyWithoutResults: withoutResults, db)
            let isCapped = (withoutResults ? nothing : total) > SearchStatistics.scanLimit
            return TopQueries(
                days: days, queries: top, totalSearches: total,
                zeroResultRate: SearchStatistics.ratio(nothing, total),
                note: isCapped
                    ? "Of the newest \(SearchStatistics.scanLimit) searches; totals are of all." : nil)
        }
    }
}

/// What is searched for most.
struct ListPopularSearches: Query {
    static let name = "search_analytics_popular"
    static let summary = "What is searched for most, with the results and bookings that came of it."
    static let audience = Audience.holders(.viewSystemAnalytics)
    static let route = Route.get("search/analytics/popular")

    @Input("How many days back.", .range(1...90)) var days = 30
    @Input("Only what was searched for so often.", .range(1...1_000)) var minCount = 2
    @Input("Rows to return.", .range(1...200)) var limit = 50

    typealias Output = TopQueries

    func run(_ db: Reader, _ context: Context) async throws -> TopQueries {
        try await TopQueries.read(
            db, days: days, minimum: minCount, limit: limit, withoutResults: false, now: context.now)
    }
}

/// What is searched for and not found.
struct ListZeroResults: Query {
    static let name = "search_analytics_zero_results"
    static let summary = "What is searched for and not found."
    static let audience = Audience.holders(.viewSystemAnalytics)
    static let route = Route.get("search/analytics/zero-results")

    @Input("How many days back.", .range(1...90)) var days = 30
    @Input("Only what was searched for so often.", .range(1...1_000)) var minCount = 1
    @Input("Rows to return.", .range(1...200)) var limit = 50

    typealias Output = TopQueries

    func run(_ db: Reader, _ context: Context) async throws -> TopQueries {
        try await TopQueries.read(
            db, days: days, minimum: minCount, limit: limit, withoutResults: true, now: context.now)
    }
}

/// Whether searches can be answered.
struct ReadSearchHealth: Query {
    static let name = "search_health"
    static let summary = "Whether searches can be answered."
    static let audience = Audience.anyone
    static let route = Route.get("search/health")

    struct Output: Codable, Sendable {
        /// `healthy`, or `degraded` when there is nothing to find services by.
        var status: String
        var indexedServices: Int
        var activeServices: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (indexed, active) = try await db.read { db in
            (
                try db.value("SELECT COUNT(DISTINCT service_id) FROM search_tokens", as: Int.self) ?? 0,
                try db.value("SELECT COUNT(*) FROM service_catalog WHERE is_active", as: Int.self) ?? 0
            )
        }
        return Output(
            status: indexed > 0 && indexed >= active ? "healthy" : "degraded", indexedServices: indexed,
            activeServices: active)
    }
}
