import Kernel

/// Durations by bucket, and what can be computed from them within a percent.
struct DurationHistogram {
    private let buckets: [(bucket: DurationBucket, count: Int)]
    private let count: Int

    init(_ counts: [(name: String, count: Int)]) {
        var sums: [DurationBucket: Int] = [:]
        for (name, count) in counts {
            if let bucket = DurationBucket(name: name) { sums[bucket, default: 0] += count }
        }
        buckets = sums.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        count = buckets.reduce(0) { $0 + $1.count }
    }

    var average: Double? {
        count == 0 ? nil : buckets.reduce(0) { $0 + $1.bucket.middle * Double($1.count) } / Double(count)
    }

    /// The continuous percentile, interpolated between the two nearest ranks.
    func percentile(_ part: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = part * Double(count - 1)
        let (low, high) = (value(at: Int(rank)), value(at: min(count - 1, Int(rank) + 1)))
        return low + (high - low) * (rank - rank.rounded(.down))
    }

    private func value(at rank: Int) -> Double {
        var passed = 0
        for (bucket, count) in buckets {
            passed += count
            if rank < passed { return bucket.middle }
        }
        return buckets.last?.bucket.middle ?? 0
    }
}
