import Synchronization

/// Messages on their way to one peer, taken in order by one writer.
///
/// Senders never wait, so a peer that reads slowly must not make the queue
/// grow: what a client can do without is dropped when the queue is full, and
/// the rest is bounded by its nature.
final class Outbox: Sendable {
    /// What happens to a message when others are still waiting to be written.
    enum Delivery: Sendable {
        /// Always queued: responses and questions, of which a request has few at a time.
        case needed
        /// Dropped when the queue is full: progress and logs.
        case droppable
        /// Left out when the same message is already waiting: changes, which say "look again".
        case once
        /// Left out when anything is waiting: keep-alives.
        case whenIdle
    }

    typealias Send = @Sendable ([UInt8], Delivery) -> Void

    private struct State {
        var waiting: [[UInt8]] = []
        var isFinished = false
    }

    /// Messages that may wait before droppable ones are dropped.
    static let capacity = 64

    private let state = Mutex(State())
    /// At most one wake-up is remembered; the queue holds the messages.
    private let arrivals = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Queues a message; after the end there is none.
    func send(_ message: [UInt8], _ delivery: Delivery) {
        let isQueued = state.withLock { state in
            guard !state.isFinished, Self.takes(delivery, message, state.waiting) else { return false }
            state.waiting.append(message)
            return true
        }
        if isQueued { arrivals.continuation.yield() }
    }

    /// Nothing more will come, after this last message.
    func finish(with last: [UInt8]? = nil) {
        state.withLock { state in
            if let last, !state.isFinished { state.waiting.append(last) }
            state.isFinished = true
        }
        arrivals.continuation.finish()
    }

    /// The next message; nil at the end and when this task is cancelled.
    func next() async -> [UInt8]? {
        while !Task.isCancelled {
            if let message = take() { return message }
            var iterator = arrivals.stream.makeAsyncIterator()
            if await iterator.next() == nil { return Task.isCancelled ? nil : take() }
        }
        return nil
    }

    private func take() -> [UInt8]? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    private static func takes(_ delivery: Delivery, _ message: [UInt8], _ waiting: [[UInt8]]) -> Bool {
        switch delivery {
        case .needed: true
        case .droppable: waiting.count < capacity
        case .once: !waiting.contains(message)
        case .whenIdle: waiting.isEmpty
        }
    }
}
