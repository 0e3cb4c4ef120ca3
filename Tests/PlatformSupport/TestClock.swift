package import Storage
import Synchronization

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
    /// Where every test begins.
    package static let start = Instant(microseconds: 1_795_000_000_000_000)

    private let time: Mutex<Instant>

    package init(_ start: Instant = start) { time = Mutex(start) }

    package var now: Instant { time.withLock { $0 } }

    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }

    package func set(_ instant: Instant) { time.withLock { $0 = instant } }
}
