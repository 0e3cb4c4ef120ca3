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

    /// The most frequent texts of the window's newest ``scanLimit`` searches.
    package static func top(
        from start: Instant, to end: Instant, minimum: Int, limit: Int, onlyWithoutResults: Bool = false,
        _ db: Snapshot
    ) throws -> [TopQuery] {
        let condition: SQL = onlyWithoutResults ? " AND result_count = 0" : ""
        let rows = try db.rows(
            """
            SELECT found.normalized_query, COUNT(*) AS searches, AVG(CAST(found.result_count AS DOUBLE PRECISION)),
            SUM(CASE WHEN booked.id IS NULL THEN 0 ELSE 1 END) FROM (
                SELECT id, normalized_query, result_count FROM search_queries
                WHERE id >= \(ULID.first(at: start)) AND id < \(ULID.first(at: end))\(condition)
                ORDER BY id DESC LIMIT \(scanLimit)) AS found
            LEFT JOIN (SELECT DISTINCT search_query_id AS id FROM search_clicks
                WHERE action = 'book' AND search_query_id >= \(ULID.first(at: start))) AS booked
            ON booked.id = found.id
            GROUP BY found.normalized_query HAVING COUNT(*) >= \(minimum)
            ORDER BY searches DESC, found.normalized_query LIMIT \(limit)
            """)
        return try rows.map { row in
            let (count, booked): (Int, Int) = (try row.get(at: 1), try row.get(at: 3))
            return TopQuery(
                query: try row.get(at: 0), count: count,
                avgResults: rounded(try row.get(at: 2), places: 100),
                conversionRate: ratio(booked, count))
        }
    }

    /// To four decimals; zero of nothing is zero.
    package static func ratio(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 0 : rounded(Double(part) / Double(whole), places: 10_000)
    }

    static func rounded(_ value: Double, places: Double) -> Double { (value * places).rounded() / places }
}
