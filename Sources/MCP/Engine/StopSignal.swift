import Synchronization

/// An event that happens once at most and that one task waits for.
final class StopSignal: Sendable {
    private let signal = AsyncStream<Never>.makeStream()
    private let flag = Atomic(false)

    var isFired: Bool { flag.load(ordering: .acquiring) }

    /// May be called from anywhere and more than once.
    func fire() {
        flag.store(true, ordering: .releasing)
        signal.continuation.finish()
    }

    /// Returns when the signal fires or this task is cancelled.
    func wait() async {
        for await _ in signal.stream {}
    }

    /// Runs work that is cancelled when the signal fires; what it returns counts either way.
    func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value? {
        await withTaskGroup(of: Value?.self) { race in
            race.addTask { await work() }
            race.addTask {
                await self.wait()
                return nil
            }
            // The first to end stops the other, and only the work has a value.
            var value: Value?
            while value == nil, let next = await race.next() {
                value = next
                race.cancelAll()
            }
            return value
        }
    }
}
