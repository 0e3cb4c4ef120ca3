import Kernel
import Storage
import Synchronization

/// Does nothing: what is left is what the engine costs.
struct Noop: Job {
    static let name = "bench.noop"

    func run(_ attempt: JobAttempt) async throws { Marks.shared.ran() }
}

/// Nothing, on the queue that takes the most at a time.
struct WideNoop: Job {
    static let name = "bench.noop_wide"
    static let queue = Queue.webhooks

    func run(_ attempt: JobAttempt) async throws { Marks.shared.ran() }
}

/// Nothing, without waiting for the disk.
struct DatabaseNoop: Job {
    static let name = "bench.noop_database"
    static let queue = Queue.webhooks
    static let isDatabaseOnly = true

    func run(_ attempt: JobAttempt) async throws { Marks.shared.ran() }
}

/// Notes when it started.
struct Stamp: Job {
    static let name = "bench.stamp"
    var sent: Instant

    func run(_ attempt: JobAttempt) async throws { Marks.shared.started(after: Instant.now() - sent) }
}

/// What the jobs of this process saw.
final class Marks: Sendable {
    static let shared = Marks()
    private let count = Atomic(0)
    private let delays = Mutex<[Duration]>([])

    func ran() { count.add(1, ordering: .relaxed) }
    var runs: Int { count.load(ordering: .relaxed) }
    func started(after delay: Duration) { delays.withLock { $0.append(delay) } }
    var starts: [Duration] { delays.withLock { $0 } }
}
