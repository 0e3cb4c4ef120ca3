import Dispatch
import Kernel
import Synchronization

/// Runs slow, memory-hungry work away from Swift's own threads, a little at a time.
///
/// One Argon2id hash keeps a core busy for tens of milliseconds and takes 19 MiB.
/// On Swift's own threads a burst of sign-ins would stop everything else, and all at
/// once it would take the machine's memory. Two at a time use two cores at most and
/// 38 MiB; more would only make each one slower. What waits is served in order, and
/// what finds the line full is refused at once, so that nobody waits for long.
final class HashQueue: Sendable {
    /// The process's own line.
    static let shared = HashQueue(slots: 2, maximumWaiting: 256)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    private let state: Mutex<State>
    private let maximumWaiting: Int
    private let threads = DispatchQueue(label: "instainstru.hash", attributes: .concurrent)

    init(slots: Int, maximumWaiting: Int) {
        state = Mutex(State(free: slots))
        self.maximumWaiting = maximumWaiting
    }

    /// - Throws: ``Kernel/Failure/Code/unavailable`` when too many are waiting.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await withCheckedThrowingContinuation { continuation in
            threads.async { continuation.resume(with: Result(catching: work)) }
        }
    }

    private func enter() async throws {
        try await withCheckedThrowingContinuation { (caller: CheckedContinuation<Void, any Error>) in
            let outcome: Result<Void, any Error>? = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return .success(())
                }
                guard state.waiting.count < maximumWaiting else { return .failure(Self.full) }
                state.waiting.append(caller)
                return nil
            }
            if let outcome { caller.resume(with: outcome) }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }

    private static var full: Failure {
        var failure = Failure(
            .unavailable, "Too many people are signing in at this moment.", hint: "Try again in a moment.",
            reason: "busy")
        failure.retryAfter = .seconds(2)
        return failure
    }
}
