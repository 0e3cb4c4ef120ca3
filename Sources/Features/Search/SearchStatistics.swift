import Kernel
package import Storage

/// What searches of a window came to (domain specification §8.1); also for operators' tools.
package enum SearchStatistics {
    /// Of a window's searches no more than so many, the newest, are looked at one by one.
    package static let scanLimit = 50_000

    /// Every search of the window by how many results it had; exact, from roll-ups.
    package static func distribution(from start: Instant, to end: Instant, _ db: Snapshot) throws
        -> [String: Int]
    {
        var counts = Dictionary(
            SearchRecord.Spread.allCases.map { ($0.rawValue, 0) }, uniquingKeysWith: { a, _ in a })
        for row in try SearchRecord.tally.counts(from: start, to: end, filters: [], db) {
            counts[row.dimensions[0], default: 0] += row.count
        }
        return counts
    }

    /// One text with its numbers.
    package struct TopQuery: Codable, Sendable {
        package var query: String
        package var count: Int
        package var avgResults: Double
        /// Searches with a click on `book`, of all; four decimals.
        package var conversionRate: Double
    }

    /// The most frequent texts of the window's newest ``scanLimit`` searches. Three statements.
    package static func top(
        from start: Instant, to end: Instant, minimum: Int, limit: Int, onlyWithoutResults: Bool = false,
        _ db: Snapshot
    ) throws -> [TopQuery] {
        let condition: SQL = onlyWithoutResults ? " AND result_count = 0" : ""
        let end = ULID.first(at: end)
        let first: ULID? = try db.value(
            """
            SELECT MIN(id) FROM (SELECT id FROM search_queries WHERE id >= \(ULID.first(at: start))
            AND id < \(end)\(condition) ORDER BY id DESC LIMIT \(scanLimit)) AS newest
            """)
        guard let first else { return [] }
        let window: SQL = "q.id >= \(first) AND q.id < \(end)\(condition)"
        let rows = try db.rows(
            """
            SELECT normalized_query, COUNT(*) AS searches, CAST(SUM(result_count) AS BIGINT)
            FROM search_queries q WHERE \(window) GROUP BY normalized_query HAVING COUNT(*) >= \(minimum)
            ORDER BY searches DESC, normalized_query LIMIT \(limit)
            """)
        let booked = try bookings(of: try rows.map { try $0.get(at: 0) }, first, window, db)
        return try rows.map { row in
            let (query, count): (String, Int) = (try row.get(at: 0), try row.get(at: 1))
            return TopQuery(
                query: query, count: count,
                avgResults: rounded(Double(try row.get(at: 2, as: Int.self)) / Double(count), places: 100),
                conversionRate: ratio(booked[query] ?? 0, count))
        }
    }

    /// How many searches of each text led to a click on `book`.
    private static func bookings(of texts: [String], _ first: ULID, _ window: SQL, _ db: Snapshot) throws
        -> [String: Int]
    {
        let rows = try db.rows(
            """
            SELECT q.normalized_query, COUNT(DISTINCT q.id) FROM search_clicks c
            JOIN search_queries q ON q.id = c.search_query_id
            WHERE c.search_query_id >= \(first) AND c.action = 'book' AND \(window)
            AND q.normalized_query \(in: texts) GROUP BY q.normalized_query
            """)
        return try rows.reduce(into: [:]) { $0[try $1.get(at: 0, as: String.self)] = try $1.get(at: 1) }
    }

    /// To four decimals; zero of nothing is zero.
    package static func ratio(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 0 : rounded(Double(part) / Double(whole), places: 10_000)
    }

    static func rounded(_ value: Double, places: Double) -> Double { (value * places).rounded() / places }
}
