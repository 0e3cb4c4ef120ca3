import Kernel
import Logging
import ServiceLifecycle
import Storage
import UnixSignals

// What `Tests/EndToEnd/jobs.py` drives.
extension Bench {
    /// `enqueue N [--from n] [--later seconds]`: effects of the three kinds in turn;
    /// a third of them wait for a time within so many seconds.
    func enqueueEffects() async throws {
        let (first, later) = (options.number("from", 0), options.number("later", 0))
        try await enqueue(options.count) { tx, index in
            let number = first + index
            let wait = Duration.milliseconds(Int.random(in: 0...max(1, later * 1_000)))
            let due = later > 0 && number % 3 == 0 ? Instant.now() + wait : nil
            switch number % 4 {
            case 0: try tx.enqueue(SlowEffect(number: number), at: due)
            case 1: try tx.enqueue(DatabaseEffect(number: number), at: due)
            default: try tx.enqueue(GroupEffect(number: number), at: due)
            }
        }
    }

    /// `work [--slots n] [--lease seconds] [--pool n]`: a worker until SIGTERM.
    func work() async throws {
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [worker()], gracefulShutdownSignals: [.sigterm], logger: environment.logger)
        ).run()
    }
}
