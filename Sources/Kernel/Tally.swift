package import Storage

/// Counts that lists may show however many rows there are.
///
/// A change appends a delta in its own transaction, so writers never meet on a
/// counter row; a compactor folds deltas into one row per minute, hour and day
/// and combination of dimensions. A question is answered from the roll-ups of
/// its window plus the deltas not yet folded, and so is exact at any moment,
/// at a cost that does not grow with the table that is counted.
///
/// Windows are counted in whole minutes: use ``floor(_:)`` for both the rows
/// and the counts.
package struct Tally: Sendable {
    /// What is counted, e.g. `webhooks`.
    package let metric: String

    package init(_ metric: String) { self.metric = metric }

    /// The same count kept apart under a further name, e.g. `audit.read`.
    package func part(_ name: String) -> Tally { Tally("\(metric).\(name)") }

    static let minute: Int64 = 60_000_000
    static let grains: [(name: String, length: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", minute),
    ]

    /// The start of the minute that holds `instant`.
    package static func floor(_ instant: Instant) -> Instant {
        Instant(microseconds: instant.microseconds - mod(instant.microseconds, minute))
    }

    /// The start of the minute, hour or day of that length that holds `microseconds`.
    static func floor(_ microseconds: Int64, to length: Int64) -> Int64 {
        microseconds - mod(microseconds, length)
    }

    /// Adds `delta` to the counter of `dimensions` (up to four) at `instant`.
    package func add(_ delta: Int, at instant: Instant, _ dimensions: [String], _ tx: Transaction) throws {
        var changes = TallyChanges(self)
        changes.add(delta, at: instant, dimensions)
        try tx.runMany(changes.statements)
    }

    /// One combination of dimensions and how many there are.
    package struct Count: Sendable, RowDecodable {
        package var dimensions: [String]
        package var count: Int
        package init(row: Row) throws {
            dimensions = try (0..<4).map { try row.get(at: $0) }
            count = try row.get(at: 4)
        }

        init(dimensions: [String], count: Int) { (self.dimensions, self.count) = (dimensions, count) }
    }

    /// Counts in `[start, end)`, both floored to the minute, per combination;
    /// `filters` fixes dimensions by position (nil leaves one open).
    package func counts(from start: Instant, to end: Instant, filters: [String?], _ db: Snapshot) throws
        -> [Count]
    {
        if Self.packed.contains(metric) {
            return try packedCounts(from: start, to: end, filters: filters, db)
        }
        var parts: [SQL] = Self.spans(start.microseconds, end.microseconds).map { span in
            """
            SELECT d1, d2, d3, d4, count FROM tallies WHERE metric = \(metric) AND grain = \(span.grain) \
            AND bucket >= \(span.start) AND bucket < \(span.end)
            """
        }
        parts.append(
            """
            SELECT d1, d2, d3, d4, delta AS count FROM tally_deltas WHERE metric = \(metric) \
            AND bucket >= \(start.microseconds) AND bucket < \(end.microseconds)
            """)
        var sql: SQL = "SELECT d1, d2, d3, d4, CAST(SUM(count) AS BIGINT) FROM ("
        sql = sql + SQL.joined(parts, separator: " UNION ALL ") + ") AS spans WHERE 1 = 1"
        let names: [SQL] = ["d1", "d2", "d3", "d4"]
        for (name, filter) in zip(names, filters) {
            if let filter { sql = sql + " AND \(name) = \(filter)" }
        }
        return try db.all(sql + " GROUP BY d1, d2, d3, d4 HAVING SUM(count) <> 0")
    }

    /// The fewest whole days, hours and minutes that cover `[start, end)`.
    static func spans(_ start: Int64, _ end: Int64) -> [(grain: String, start: Int64, end: Int64)] {
        func cover(_ start: Int64, _ end: Int64, _ level: Int) -> [(grain: String, start: Int64, end: Int64)]
        {
            guard start < end else { return [] }
            let grain = grains[level]
            guard level < grains.count - 1 else { return [(grain.name, start, end)] }
            let first = start + mod(-start, grain.length)
            let last = end - mod(end, grain.length)
            guard first < last else { return cover(start, end, level + 1) }
            return cover(start, first, level + 1) + [(grain.name, first, last)] + cover(last, end, level + 1)
        }
        return cover(start, end, 0)
    }

    /// Folds waiting deltas into the roll-ups; one transaction, at most `limit`
    /// deltas. Concurrent compactors skip each other's rows.
    /// - Returns: how many were folded.
    package static func compact(_ tx: Transaction, limit: Int = 5_000) throws -> Int {
        let rows = try tx.rows(
            """
            DELETE FROM tally_deltas WHERE id IN (
                SELECT id FROM tally_deltas ORDER BY id LIMIT \(limit) \(.skipLocked))
            RETURNING metric, bucket, d1, d2, d3, d4, delta
            """)
        guard rows.count > 0 else { return 0 }
        var sums: [Key: Int] = [:]
        var packed: [PackedDelta] = []
        for row in rows {
            let bucket: Int64 = try row.get(at: 1)
            let metric: String = try row.get(at: 0)
            if Self.packed.contains(metric), let number = Int(try row.get(at: 4, as: String.self)) {
                packed.append(
                    try PackedDelta(
                        metric: metric, bucket: bucket, d1: row.get(at: 2), d2: row.get(at: 3),
                        number: number,
                        d4: row.get(at: 5), count: row.get(at: 6)))
                continue
            }
            for grain in grains {
                let key = try Key(
                    metric: metric, grain: grain.name, bucket: floor(bucket, to: grain.length),
                    dimensions: (2..<6).map { try row.get(at: $0) })
                sums[key, default: 0] += try row.get(at: 6, as: Int.self)
            }
        }
        // A fixed order, so that two compactors cannot deadlock.
        try tx.runMany(
            sums.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { key, sum in
                """
                INSERT INTO tallies (metric, grain, bucket, d1, d2, d3, d4, count) VALUES (\(key.metric), \
                \(key.grain), \(key.bucket), \(key.dimensions[0]), \(key.dimensions[1]), \(key.dimensions[2]), \
                \(key.dimensions[3]), \(sum))
                ON CONFLICT (metric, grain, bucket, d1, d2, d3, d4) DO UPDATE \
                SET count = tallies.count + excluded.count
                """
            })
        if !packed.isEmpty { try fold(packed, tx) }
        return rows.count
    }

    private struct Key: Hashable, Comparable {
        var metric: String
        var grain: String
        var bucket: Int64
        var dimensions: [String]
        static func < (a: Key, b: Key) -> Bool {
            (a.metric, a.grain, a.bucket, a.dimensions.joined(separator: "\u{1F}"))
                < (b.metric, b.grain, b.bucket, b.dimensions.joined(separator: "\u{1F}"))
        }
    }
}

/// The remainder that is never negative.
private func mod(_ a: Int64, _ b: Int64) -> Int64 { ((a % b) + b) % b }
