import Synchronization

/// Does work on items, those that wait together at once.
///
/// A commit waits for the disk, and costs about as much for many rows as for one.
/// So only so many batches are under way at a time, and what arrives meanwhile is
/// done by the next: alone when there is little to do, many at a time when there
/// is much. Nobody is answered before the batch of their own item is done.
final class Batches<Item: Sendable, Answer: Sendable>: Sendable {
    /// An answer for each item, in their order.
    typealias Work = @Sendable (_ items: [Item]) async -> [Result<Answer, any Error>]

    /// What an item that had to wait is told.
    private enum Turn: Sendable {
        case answered(Result<Answer, any Error>)
        /// It is the first of these, and does the work for them all.
        case lead([Waiting])
    }

    private struct Waiting: Sendable {
        let item: Item
        /// nil for one that found a free lane.
        let caller: CheckedContinuation<Turn, Never>?
    }

    private struct State {
        var busy = 0
        var waiting: [Waiting] = []

        mutating func take(_ count: Int) -> [Waiting] {
            let batch = Array(waiting.prefix(max(0, count)))
            waiting.removeFirst(batch.count)
            return batch
        }
    }

    private let lanes: Int
    private let limit: Int
    private let gathers: Bool
    private let work: Work
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lanes: batches under way at a time.
    ///   - limit: items in a batch at most.
    ///   - gathers: whether a batch lets others run once before it begins, so that
    ///     items which are about to come may join.
    ///   - work: done in the task of the batch's first item.
    init(lanes: Int = 1, limit: Int = 64, gathers: Bool = false, work: @escaping Work) {
        (self.lanes, self.limit, self.gathers, self.work) = (max(1, lanes), max(1, limit), gathers, work)
    }

    /// Returns what the work answered for this item, or throws its error.
    func callAsFunction(_ item: Item) async throws -> Answer {
        let isFree = state.withLock { state in
            guard state.busy < lanes else { return false }
            state.busy += 1
            return true
        }
        if isFree { return try await lead([Waiting(item: item, caller: nil)]).get() }
        switch await wait(item) {
        case .answered(let result): return try result.get()
        case .lead(let batch): return try await lead(batch).get()
        }
    }

    private func wait(_ item: Item) async -> Turn {
        await withCheckedContinuation { caller in
            let waiting = Waiting(item: item, caller: caller)
            let isFree = state.withLock { state in
                // A lane may have become free since.
                guard state.busy < lanes else {
                    state.waiting.append(waiting)
                    return false
                }
                state.busy += 1
                return true
            }
            if isFree { caller.resume(returning: .lead([waiting])) }
        }
    }

    /// Does the work, hands the lane on and answers everyone but the first.
    private func lead(_ first: [Waiting]) async -> Result<Answer, any Error> {
        var batch = first
        if gathers {
            await Task.yield()
            batch += state.withLock { $0.take(limit - batch.count) }
        }
        let results = await work(batch.map(\.item))
        handOn()
        for (waiting, result) in zip(batch, results).dropFirst() {
            waiting.caller?.resume(returning: .answered(result))
        }
        return results[0]
    }

    private func handOn() {
        let batch = state.withLock { state in
            let batch = state.take(limit)
            if batch.isEmpty { state.busy -= 1 }
            return batch
        }
        batch.first?.caller?.resume(returning: .lead(batch))
    }
}
