import Synchronization

/// Counts the threads of a database, so that closing can wait for the last.
final class ThreadGroup: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func start(named name: String, _ body: @escaping @Sendable () -> Void) throws {
        state.withLock { $0.running += 1 }
        do {
            try startThread(named: name) { [self] in
                body()
                leave()
            }
        } catch {
            leave()
            throw error
        }
    }

    /// Returns when no thread is running.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.running > 0 { state.waiting.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }

    private func leave() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
