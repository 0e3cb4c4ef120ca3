import Synchronization

/// The requests of a connection that are being processed, so that they can be
/// cancelled by id and waited for.
final class RunningRequests: Sendable {
    private struct State {
        var signals: [RequestID: StopSignal] = [:]
        var listening: Set<RequestID> = []
        var waiter: AsyncStream<Never>.Continuation?
    }

    private let state = Mutex(State())

    var isEmpty: Bool { state.withLock { $0.signals.isEmpty } }

    /// Nil when a request with this id is already running: ids must differ.
    func add(_ id: RequestID) -> StopSignal? {
        let signal = StopSignal()
        return state.withLock { state in
            guard state.signals[id] == nil else { return nil }
            state.signals[id] = signal
            return signal
        }
    }

    /// Notes a request that never ends by itself.
    func markListening(_ id: RequestID) { state.withLock { _ = $0.listening.insert(id) } }

    func remove(_ id: RequestID) {
        let waiter = state.withLock { state -> AsyncStream<Never>.Continuation? in
            state.signals[id] = nil
            state.listening.remove(id)
            return state.signals.isEmpty ? state.waiter : nil
        }
        waiter?.finish()
    }

    func cancel(_ id: RequestID) { state.withLock { $0.signals[id] }?.fire() }

    func endListening() {
        let signals = state.withLock { state in state.listening.compactMap { state.signals[$0] } }
        for signal in signals { signal.fire() }
    }

    func cancelAll() {
        let signals = state.withLock { Array($0.signals.values) }
        for signal in signals { signal.fire() }
    }

    /// Returns when nothing runs any more, or when this task is cancelled.
    func waitUntilEmpty() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let isDone = state.withLock { state in
            state.waiter = continuation
            return state.signals.isEmpty
        }
        if isDone { return }
        for await _ in stream {}
    }
}
