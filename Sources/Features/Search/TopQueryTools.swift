import Kernel
import Storage

/// The days that a question about searches is about: 30 up to today unless it says otherwise.
struct SearchDays: Codable, Sendable {
    var start: CalendarDay
    var end: CalendarDay

    init(_ first: CalendarDay?, _ last: CalendarDay?, now: Instant) throws {
        let end = last ?? CalendarDay.utc(now)
        let range = try DayRange(first ?? end.adding(days: -29), end)
        (start, self.end) = (range.first ?? end, end)
    }

    /// Its searches by how many results they had.
    func spread(_ db: Snapshot) throws -> [String: Int] {
        try SearchStatistics.distribution(from: start.startUTC, to: end.adding(days: 1).startUTC, db)
    }

    func top(minimum: Int, limit: Int, withoutResults: Bool, _ db: Snapshot) throws
        -> [SearchStatistics.TopQuery]
    {
        try SearchStatistics.top(
            from: start.startUTC, to: end.adding(days: 1).startUTC, minimum: minimum, limit: limit,
            onlyWithoutResults: withoutResults, db)
    }

    /// What must be said when not every search was looked at.
    static func note(searches: Int) -> String? {
        guard searches > SearchStatistics.scanLimit else { return nil }
        return "The queries are of the newest \(SearchStatistics.scanLimit) searches; the totals are of all."
    }
}

/// What is searched for most.
///
/// Texts that differ in case and spaces alone are one query, so their counts are added.
struct SearchTopQueries: Query {
    static let name = "search_top_queries"
    static let title = "Top searches"
    static let summary = "What people search for most, with the results and bookings that came of it."
    static let route = Route.get("search/top-queries")

    @Input("First day of UTC; 29 days before the last when left out.") var startDate: CalendarDay?
    @Input("Last day of UTC; today when left out.") var endDate: CalendarDay?
    @Input("Queries to return.", .range(1...200)) var limit = 50
    @Input("Only what was searched for so often.", .range(1...1_000)) var minCount = 2

    struct Output: Codable, Sendable {
        struct Data: Codable, Sendable {
            var timeWindow: SearchDays
            /// The most frequent first.
            var queries: [SearchStatistics.TopQuery]
            /// All searches of the window, whatever their count.
            var totalSearches: Int
            var note: String?
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let days = try SearchDays(startDate, endDate, now: context.now)
        let (limit, minimum) = (limit, minCount)
        let data = try await db.read { db in
            let total = try days.spread(db).values.reduce(0, +)
            return Output.Data(
                timeWindow: days,
                queries: try days.top(minimum: minimum, limit: limit, withoutResults: false, db),
                totalSearches: total, note: SearchDays.note(searches: total))
        }
        return Output(meta: AnswerMeta(context), data: data)
    }
}

/// What is searched for and not found.
struct SearchZeroResults: Query {
    static let name = "search_zero_results"
    static let title = "Searches without results"
    static let summary = "What people search for and do not find: demand that nobody teaches yet."
    static let route = Route.get("search/zero-results")

    @Input("First day of UTC; 29 days before the last when left out.") var startDate: CalendarDay?
    @Input("Last day of UTC; today when left out.") var endDate: CalendarDay?
    @Input("Queries to return.", .range(1...200)) var limit = 50

    struct Output: Codable, Sendable {
        struct Query: Codable, Sendable {
            var query: String
            var count: Int
        }
        struct Data: Codable, Sendable {
            var timeWindow: SearchDays
            var queries: [Query]
            var totalZeroResultSearches: Int
            /// Of all searches of the window, four decimals.
            var zeroResultRate: Double
            var totalSearches: Int
            var note: String?
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let days = try SearchDays(startDate, endDate, now: context.now)
        let limit = limit
        let data = try await db.read { db in
            let spread = try days.spread(db)
            let (total, nothing) = (
                spread.values.reduce(0, +), spread[SearchRecord.Spread.none.rawValue] ?? 0
            )
            let top = try days.top(minimum: 1, limit: limit, withoutResults: true, db)
            return Output.Data(
                timeWindow: days, queries: top.map { .init(query: $0.query, count: $0.count) },
                totalZeroResultSearches: nothing, zeroResultRate: SearchStatistics.ratio(nothing, total),
                totalSearches: total, note: SearchDays.note(searches: nothing))
        }
        return Output(meta: AnswerMeta(context), data: data)
    }
}
