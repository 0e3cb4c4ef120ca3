import Storage

// Tallies whose third dimension is a whole number of which there are many, as a
// duration. A roll-up per number would be nearly one per thing counted, so all
// numbers of a minute, hour or day are one row's text: `12:3 40:1` counts three
// of 12 and one of 40.
extension Tally {
    /// The metrics that are kept so. Never less: what is packed stays packed.
    static let packed: Set<String> = ["tasks"]

    /// What a row of `tally_histograms` is about.
    private struct Group: Hashable, Comparable {
        var metric: String
        var grain: String
        var bucket: Int64
        var d1: String
        var d2: String
        var d4: String

        static func < (a: Group, b: Group) -> Bool {
            (a.metric, a.grain, a.bucket, a.d1, a.d2, a.d4) < (b.metric, b.grain, b.bucket, b.d1, b.d2, b.d4)
        }
    }

    /// ``counts(from:to:filters:_:)`` of a packed tally.
    ///
    /// Also reads `tallies`, where a process of an older version may still fold.
    func packedCounts(from start: Instant, to end: Instant, filters: [String?], _ db: Snapshot) throws
        -> [Count]
    {
        var parts: [SQL] = Self.spans(start.microseconds, end.microseconds).flatMap { span -> [SQL] in
            let window: SQL = """
                metric = \(metric) AND grain = \(span.grain) AND bucket >= \(span.start) AND bucket < \(span.end)
                """
            return [
                "SELECT d1, d2, d4, counts FROM tally_histograms WHERE \(window)",
                "SELECT d1, d2, d4, d3 || ':' || CAST(count AS TEXT) AS counts FROM tallies WHERE \(window)",
            ]
        }
        parts.append(
            """
            SELECT d1, d2, d4, d3 || ':' || CAST(delta AS TEXT) AS counts FROM tally_deltas WHERE metric = \(metric) \
            AND bucket >= \(start.microseconds) AND bucket < \(end.microseconds)
            """)
        var sql = "SELECT d1, d2, d4, counts FROM (" + SQL.joined(parts, separator: " UNION ALL ")
        sql += ") AS spans WHERE 1 = 1"
        let names: [SQL?] = ["d1", "d2", nil, "d4"]
        for (name, filter) in zip(names, filters) {
            if let name, let filter { sql += " AND \(name) = \(filter)" }
        }
        var sums: [Group: [Int: Int]] = [:]
        for row in try db.rows(sql) {
            let group = Group(
                metric: metric, grain: "", bucket: 0, d1: try row.get(at: 0), d2: try row.get(at: 1),
                d4: try row.get(at: 2))
            try Self.unpack(row.get(at: 3), into: &sums[group, default: [:]])
        }
        let only = filters.count > 2 ? filters[2] : nil
        return sums.flatMap { group, counts in
            counts.filter { $0.value != 0 && (only == nil || only == String($0.key)) }.map { number, count in
                Count(dimensions: [group.d1, group.d2, String(number), group.d4], count: count)
            }
        }
    }

    /// Adds what a row's text counts.
    static func unpack(_ text: String, into counts: inout [Int: Int]) {
        var text = text
        text.withUTF8 { bytes in
            var (number, value, sign) = (0, 0, 1)
            for byte in bytes {
                switch byte {
                case UInt8(ascii: ":"): (number, value, sign) = (sign * value, 0, 1)
                case UInt8(ascii: " "):
                    counts[number, default: 0] += sign * value
                    (value, sign) = (0, 1)
                case UInt8(ascii: "-"): sign = -1
                default: value = value * 10 + Int(byte &- 48)
                }
            }
            if !bytes.isEmpty { counts[number, default: 0] += sign * value }
        }
    }

    static func pack(_ counts: [Int: Int]) -> String {
        counts.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
            .joined(separator: " ")
    }

    /// Folds deltas of packed tallies into their roll-ups.
    static func fold(_ deltas: [PackedDelta], _ tx: Transaction) throws {
        var changes: [Group: [Int: Int]] = [:]
        for delta in deltas {
            for grain in grains {
                let group = Group(
                    metric: delta.metric, grain: grain.name, bucket: floor(delta.bucket, to: grain.length),
                    d1: delta.d1, d2: delta.d2, d4: delta.d4)
                changes[group, default: [:]][delta.number, default: 0] += delta.count
            }
        }
        // In a fixed order, so that two compactors cannot deadlock; who comes second
        // waits here, and then reads what the first has written.
        let groups = changes.keys.sorted()
        try tx.runMany(
            SQL.inserts(
                "INSERT INTO tally_histograms (metric, grain, bucket, d1, d2, d4, counts) VALUES",
                groups.map { "(\($0.metric), \($0.grain), \($0.bucket), \($0.d1), \($0.d2), \($0.d4), '')" },
                " ON CONFLICT DO NOTHING"))
        var rows: [Group: String] = [:]
        for (_, same) in Dictionary(grouping: groups, by: { [$0.metric, $0.grain] }) {
            let buckets = Set(same.map(\.bucket)).sorted().map { Int($0) }
            let found = try tx.rows(
                """
                SELECT metric, grain, bucket, d1, d2, d4, counts FROM tally_histograms
                WHERE metric = \(same[0].metric) AND grain = \(same[0].grain) AND bucket \(in: buckets)
                ORDER BY metric, grain, bucket, d1, d2, d4 \(.forUpdate)
                """)
            for row in found {
                let group = try Group(
                    metric: row.get(at: 0), grain: row.get(at: 1), bucket: row.get(at: 2), d1: row.get(at: 3),
                    d2: row.get(at: 4), d4: row.get(at: 5))
                rows[group] = try row.get(at: 6)
            }
        }
        try tx.runMany(
            groups.map { group in
                var counts = changes[group] ?? [:]
                unpack(rows[group] ?? "", into: &counts)
                return """
                    UPDATE tally_histograms SET counts = \(pack(counts)) WHERE metric = \(group.metric) \
                    AND grain = \(group.grain) AND bucket = \(group.bucket) AND d1 = \(group.d1) \
                    AND d2 = \(group.d2) AND d4 = \(group.d4)
                    """
            })
    }

    /// A delta of a packed tally.
    struct PackedDelta {
        var metric: String
        var bucket: Int64
        var d1: String
        var d2: String
        var number: Int
        var d4: String
        var count: Int
    }
}
