import Synchronization

/// Hands notifications to the listeners in this process.
final class ChannelHub: Sendable {
    /// How many payloads wait for a slow listener before it is told that it
    /// missed some.
    private static let bufferLimit = 256

    private struct State {
        var listeners: [String: [Int: AsyncStream<String>.Continuation]] = [:]
        var live: Set<String> = []
        var count = 0
        var isFinished = false
    }
    private let state = Mutex(State())
    private let isAlwaysLive: Bool

    /// `isAlwaysLive` when every payload is published in this process, so that a
    /// listener misses nothing from the start.
    init(isAlwaysLive: Bool) { self.isAlwaysLive = isAlwaysLive }

    /// A stream of what is published to `channel`. It begins with an empty payload
    /// once nothing is missed any more.
    func subscribe(_ channel: String) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Self.bufferLimit))
        let id = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.count += 1
            state.listeners[channel, default: [:]][state.count] = continuation
            if isAlwaysLive || state.live.contains(channel) { continuation.yield("") }
            return state.count
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners[channel]?.removeValue(forKey: id) }
        }
        return stream
    }

    /// The channels that were ever listened to.
    var channels: Set<String> { state.withLock { Set($0.listeners.keys) } }

    func publish(_ payload: String, to channel: String) {
        let listeners = state.withLock { $0.listeners[channel].map { Array($0.values) } ?? [] }
        for listener in listeners {
            // The oldest payload made room for this one.
            if case .dropped = listener.yield(payload) { listener.yield("") }
        }
    }

    /// From now on nothing sent to the channel is missed; its listeners are told.
    func goLive(_ channel: String) {
        state.withLock { _ = $0.live.insert(channel) }
        publish("", to: channel)
    }

    /// The connection is lost: no channel is live.
    func goDown() { state.withLock { $0.live = [] } }

    /// Ends every stream, and those asked for later.
    func finish() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            state.isFinished = true
            return state.listeners.values.flatMap(\.values)
        }
        for listener in listeners { listener.finish() }
    }
}
