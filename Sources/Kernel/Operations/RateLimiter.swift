package import Storage
import Synchronization

/// A generic cell rate limiter (GCRA) per actor: a burst, then a steady rate.
///
/// Kept in memory and per process: with N processes an actor gets N times the
/// rate. `tokensPerMinute == 0` means no limit.
package final class RateLimiter: Sendable {
    private let interval: Int64
    private let burst: Int
    private let tolerance: Int64
    private let arrival = Mutex<[String: Int64]>([:])

    /// - Parameters:
    ///   - perMinute: cost units per minute and actor; 0 for no limit.
    ///   - burst: units that may be taken at once from idle.
    package init(perMinute: Int, burst: Int) {
        interval = perMinute > 0 ? 60_000_000 / Int64(perMinute) : 0
        self.burst = max(burst, 1)
        tolerance = interval * Int64(self.burst)
    }

    /// Takes `cost` units, at most a whole burst, or throws ``Failure/Code/rateLimited`` with the wait.
    package func take(_ cost: Int, for actor: String, at now: Instant) throws {
        guard interval > 0, cost > 0 else { return }
        let wait: Int64 = arrival.withLock { arrival in
            let moment = now.microseconds
            let theoretical = max(arrival[actor] ?? moment, moment)
            let next = theoretical + interval * Int64(min(cost, burst))
            guard next - moment <= tolerance else { return next - moment - tolerance }
            arrival[actor] = next
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
}
