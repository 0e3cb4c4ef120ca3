package import Storage
import Synchronization

/// A generic cell rate limiter (GCRA) per caller and bucket: a burst, then a steady rate.
///
/// Kept in memory and per process: with N processes a caller gets N times the
/// rate. `perMinute == 0` means no limit, in any bucket.
package final class RateLimiter: Sendable {
    /// Where a caller stands after a call, as the `RateLimit` header fields tell it.
    package struct Standing: Sendable, Hashable {
        /// Units at once from idle.
        package var limit: Int
        package var remaining: Int
        /// Until all of them are there again.
        package var reset: Duration
    }

    private struct Rate: Sendable {
        var interval: Int64
        var burst: Int
        init(perMinute: Int, burst: Int) {
            interval = perMinute > 0 ? 60_000_000 / Int64(perMinute) : 0
            self.burst = max(burst, 1)
        }
        var tolerance: Int64 { interval * Int64(burst) }
    }

    private struct Key: Hashable, Sendable {
        var bucket: RateBucket
        var caller: String
    }

    private let rates: [RateBucket: Rate]
    private let arrival = Mutex<[Key: Int64]>([:])

    /// - Parameters:
    ///   - perMinute: cost units of an operator per minute; 0 for no limits at all.
    ///   - burst: units that an operator may take at once from idle.
    package init(perMinute: Int, burst: Int) {
        guard perMinute > 0 else {
            rates = [:]
            return
        }
        var rates: [RateBucket: Rate] = [:]
        for bucket in RateBucket.allCases {
            let rate = bucket.rate ?? (perMinute, burst)
            rates[bucket] = Rate(perMinute: rate.perMinute, burst: rate.burst)
        }
        self.rates = rates
    }

    /// Takes `cost` units, at most a whole burst, or throws ``Failure/Code/rateLimited`` with the wait.
    package func take(_ cost: Int, for caller: String, from bucket: RateBucket = .operators, at now: Instant)
        throws
    {
        guard let rate = rates[bucket], cost > 0 else { return }
        let key = Key(bucket: bucket, caller: caller)
        let wait: Int64 = arrival.withLock { arrival in
            let moment = now.microseconds
            let theoretical = max(arrival[key] ?? moment, moment)
            let next = theoretical + rate.interval * Int64(min(cost, rate.burst))
            guard next - moment <= rate.tolerance else { return next - moment - rate.tolerance }
            arrival[key] = next
            // Forget the idle ones now and then, so that the table stays small.
            if arrival.count > 10_000 { arrival = arrival.filter { $0.value > moment } }
            return 0
        }
        guard wait > 0 else { return }
        var failure = Failure(
            .rateLimited, "Too many calls.", hint: "Wait and call again.", reason: "rate_limited")
        failure.retryAfter = .microseconds(wait)
        throw failure
    }

    /// Where `caller` stands now; nil where there is no limit.
    package func standing(of caller: String, in bucket: RateBucket, at now: Instant) -> Standing? {
        guard let rate = rates[bucket] else { return nil }
        let used = arrival.withLock {
            max(0, ($0[Key(bucket: bucket, caller: caller)] ?? 0) - now.microseconds)
        }
        let taken = Int((used + rate.interval - 1) / rate.interval)
        return Standing(
            limit: rate.burst, remaining: max(0, rate.burst - taken), reset: .microseconds(used))
    }
}
