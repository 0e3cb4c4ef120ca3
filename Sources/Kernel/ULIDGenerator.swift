import Glibc
import Synchronization

/// Makes identifiers that only ever go up.
///
/// Every identifier from one generator is greater than the one before it,
/// also inside one millisecond and when the clock steps back: then the last
/// one is counted up by one instead. Safe to share between tasks. The clock
/// and the random source are injected, so that a test knows its identifiers.
package final class ULIDGenerator: Sendable {
    private let clock: @Sendable () -> Int64
    private let random: @Sendable () -> UInt64
    private let last = Mutex(ULID(high: 0, low: 0))

    /// - Parameters:
    ///   - clock: The time in milliseconds since 1970.
    ///   - random: Sixty-four random bits; asked twice per new millisecond.
    package init(
        clock: @escaping @Sendable () -> Int64 = ULIDGenerator.systemMilliseconds,
        random: @escaping @Sendable () -> UInt64 = { SystemRandomNumberGenerator().oneValue }
    ) {
        self.clock = clock
        self.random = random
    }

    /// The next identifier, greater than all before it.
    package func next() -> ULID { next(atMilliseconds: clock()) }

    /// The next identifier for a moment that is already known, greater than
    /// all before it: an earlier moment than the last one counts as the last.
    package func next(atMilliseconds now: Int64) -> ULID {
        last.withLock { last in
            if now > last.milliseconds {
                last = ULID(
                    milliseconds: now, randomHigh: UInt16(truncatingIfNeeded: random()),
                    randomLow: random())
            } else {
                last = last.successor
            }
            return last
        }
    }

    /// An identifier of that very moment, for what is written down afterwards. It
    /// takes no part in the order of the others.
    package func stamped(atMilliseconds moment: Int64) -> ULID {
        ULID(milliseconds: moment, randomHigh: UInt16(truncatingIfNeeded: random()), randomLow: random())
    }

    /// The system's clock, in milliseconds since 1970.
    @Sendable package static func systemMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension ULID {
    /// The identifier after this one. When the eighty random bits are used
    /// up, the carry goes into the time.
    fileprivate var successor: ULID {
        let (low, carry) = low.addingReportingOverflow(1)
        return ULID(high: carry ? high &+ 1 : high, low: low)
    }
}

extension SystemRandomNumberGenerator {
    fileprivate var oneValue: UInt64 {
        var generator = self
        return generator.next()
    }
}
