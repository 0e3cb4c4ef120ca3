import Synchronization

/// The requests of a connection that are being processed, so that they can be
/// cancelled by id and waited for.
final class RunningRequests: Sendable {
    /// One request's way to hear that it was cancelled.
    final class Ticket: Sendable {
        private let signal = AsyncStream<Never>.makeStream()
        private let flag = Atomic(false)

        var isCancelled: Bool { flag.load(ordering: .acquiring) }

        func cancel() {
            flag.store(true, ordering: .releasing)
            signal.continuation.finish()
        }

        /// Returns when the request or this task was cancelled.
        func waitForCancellation() async {
            for await _ in signal.stream {}
        }
    }

    private struct State {
        var tickets: [RequestID: Ticket] = [:]
        var listening: Set<RequestID> = []
        var waiter: AsyncStream<Never>.Continuation?
    }

    private let state = Mutex(State())

    var isEmpty: Bool { state.withLock { $0.tickets.isEmpty } }

    /// Nil when a request with this id is already running: ids must differ.
    func add(_ id: RequestID) -> Ticket? {
        let ticket = Ticket()
        return state.withLock { state in
            guard state.tickets[id] == nil else { return nil }
            state.tickets[id] = ticket
            return ticket
        }
    }

    /// Notes a request that never ends by itself.
    func markListening(_ id: RequestID) { state.withLock { _ = $0.listening.insert(id) } }

    func remove(_ id: RequestID) {
        let waiter = state.withLock { state -> AsyncStream<Never>.Continuation? in
            state.tickets[id] = nil
            state.listening.remove(id)
            return state.tickets.isEmpty ? state.waiter : nil
        }
        waiter?.finish()
    }

    func cancel(_ id: RequestID) { state.withLock { $0.tickets[id] }?.cancel() }

    func endListening() {
        let tickets = state.withLock { state in state.listening.compactMap { state.tickets[$0] } }
        for ticket in tickets { ticket.cancel() }
    }

    func cancelAll() {
        let tickets = state.withLock { Array($0.tickets.values) }
        for ticket in tickets { ticket.cancel() }
    }

    /// Returns when nothing runs any more, or when this task is cancelled.
    func waitUntilEmpty() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let isDone = state.withLock { state in
            state.waiter = continuation
            return state.tickets.isEmpty
        }
        if isDone { return }
        for await _ in stream {}
    }
}
