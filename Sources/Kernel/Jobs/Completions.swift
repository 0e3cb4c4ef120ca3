import Storage
import Synchronization

/// Ends attempts that have nothing to write but their end, those that wait
/// together in one transaction.
///
/// A commit waits for the disk and an end is two statements however many jobs
/// they are of. So one transaction runs at a time, and what ends meanwhile is
/// written by the next: alone when there is little to do, many at a time when
/// there is much. An end that cannot be written with the others, because a lease
/// was lost, is written alone.
final class Completions: Sendable {
    /// Attempts in one transaction at most.
    private static let limit = 64

    private struct Waiting: Sendable {
        let attempt: JobAttempt
        let caller: CheckedContinuation<Turn, Never>
    }

    /// What an attempt that had to wait is told.
    private enum Turn: Sendable {
        case written
        /// Nothing was written: it writes its own end.
        case alone
        /// It is the first of these, and writes them all.
        case lead([Waiting])
    }

    private struct State {
        var isBusy = false
        var waiting: [Waiting] = []

        mutating func take(_ limit: Int) -> [Waiting] {
            defer { waiting.removeFirst(min(limit, waiting.count)) }
            return Array(waiting.prefix(limit))
        }
    }

    private let state = Mutex(State())

    /// Returns when the attempt has ended as completed, or throws as
    /// ``JobAttempt/settle(_:)`` does.
    func complete(_ attempt: JobAttempt) async throws {
        let turn = await withCheckedContinuation { caller in
            let waiting = Waiting(attempt: attempt, caller: caller)
            let isFree = state.withLock { state in
                guard state.isBusy else {
                    state.isBusy = true
                    return true
                }
                state.waiting.append(waiting)
                return false
            }
            if isFree { caller.resume(returning: .lead([waiting])) }
        }
        switch turn {
        case .written: return
        case .alone: try await attempt.settle { _, _ in .completed }
        case .lead(let batch):
            // Jobs that are about to end may join.
            await Task.yield()
            try await lead(batch + next(Self.limit - batch.count))
        }
    }

    /// Writes a batch, tells the others of it, and lets the next begin.
    private func lead(_ batch: [Waiting]) async throws {
        let attempts = batch.map(\.attempt)
        // Whatever went wrong, each meets it again by itself if it is its own.
        var isWritten = false
        if batch.count > 1 {
            // Whatever went wrong, each meets it again by itself if it is its own.
            do {
                try await JobAttempt.settle(attempts) { _ in attempts.map { _ in .completed } }
                isWritten = true
            } catch {}
        }
        for other in batch.dropFirst() { other.caller.resume(returning: isWritten ? .written : .alone) }
        defer { handOn() }
        if !isWritten { try await batch[0].attempt.settle { _, _ in .completed } }
    }

    private func handOn() {
        let batch = state.withLock { state -> [Waiting] in
            let batch = state.take(Self.limit)
            if batch.isEmpty { state.isBusy = false }
            return batch
        }
        batch.first?.caller.resume(returning: .lead(batch))
    }

    private func next(_ limit: Int) -> [Waiting] { state.withLock { $0.take(limit) } }
}
