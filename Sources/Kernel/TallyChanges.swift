package import Storage

/// Deltas of one transaction, added up before they are written: a row for
/// each combination and minute that changed, and none for what evens out.
package struct TallyChanges: Sendable {
    private struct Key: Hashable, Comparable {
        var bucket: Int64
        var dimensions: [String]

        static func < (a: Key, b: Key) -> Bool {
            a.bucket != b.bucket
                ? a.bucket < b.bucket : a.dimensions.lexicographicallyPrecedes(b.dimensions)
        }
    }

    private let metric: String
    private var sums: [Key: Int] = [:]

    package init(_ tally: Tally) { metric = tally.metric }

    /// Adds `delta` to the counter of `dimensions` (up to four) at `instant`.
    package mutating func add(_ delta: Int, at instant: Instant, _ dimensions: [String]) {
        let padding = Array(repeating: "", count: max(0, 4 - dimensions.count))
        let key = Key(bucket: Tally.floor(instant).microseconds, dimensions: dimensions + padding)
        sums[key, default: 0] += delta
    }

    /// What writes the sums; no statement when nothing changed.
    package var statements: [SQL] {
        let rows: [SQL] = sums.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { key, sum in
            let d = key.dimensions
            return "(\(metric), \(key.bucket), \(d[0]), \(d[1]), \(d[2]), \(d[3]), \(sum))"
        }
        return SQL.inserts("INSERT INTO tally_deltas (metric, bucket, d1, d2, d3, d4, delta) VALUES", rows)
    }
}
