import Storage
import Synchronization

/// Stores deliveries, those that wait together in one transaction.
///
/// A commit waits for the disk, and PostgreSQL lines up commits that announce
/// something. So only ``lanes`` transactions run at a time, and what arrives
/// meanwhile is stored by the next: alone when there is little to do, many at a
/// time when there is much. Nobody is answered before the commit of their own row.
final class ReceiptBatches: Sendable {
    typealias Receipt = WebhookLedger.Receipt

    /// Transactions at a time. Each costs about as much for eight deliveries as for
    /// one, so the fewer, the sooner all are stored.
    private static let lanes = 1
    /// Deliveries in one transaction.
    private static let limit = 64

    /// What a delivery that had to wait is told.
    private enum Turn: Sendable {
        case answered(Result<Receipt, any Error>)
        /// It is the first of these, and stores them all.
        case lead([Waiting])
    }

    private struct Waiting: Sendable {
        let event: NewEvent
        let caller: CheckedContinuation<Turn, Never>?
    }

    private struct State {
        var busy = 0
        var waiting: [Waiting] = []
    }

    private let database: any Database
    private let state = Mutex(State())

    init(database: any Database) { self.database = database }

    /// Returns when the event is durable, or known to be in the ledger already.
    func store(_ event: NewEvent) async throws -> Receipt {
        let isFree = state.withLock { state in
            guard state.busy < Self.lanes else { return false }
            state.busy += 1
            return true
        }
        if isFree { return try await lead([Waiting(event: event, caller: nil)]).get() }
        switch await wait(event) {
        case .answered(let result): return try result.get()
        case .lead(let batch): return try await lead(batch).get()
        }
    }

    private func wait(_ event: NewEvent) async -> Turn {
        await withCheckedContinuation { caller in
            let waiting = Waiting(event: event, caller: caller)
            let isFree = state.withLock { state in
                // A lane may have become free since.
                guard state.busy < Self.lanes else {
                    state.waiting.append(waiting)
                    return false
                }
                state.busy += 1
                return true
            }
            if isFree { caller.resume(returning: .lead([waiting])) }
        }
    }

    /// Stores a batch, hands the lane on and answers everyone but the first.
    private func lead(_ batch: [Waiting]) async -> Result<Receipt, any Error> {
        let results = await store(batch.map(\.event))
        handOn()
        for (waiting, result) in zip(batch, results).dropFirst() {
            waiting.caller?.resume(returning: .answered(result))
        }
        return results[0]
    }

    private func handOn() {
        let batch = state.withLock { state -> [Waiting] in
            let batch = Array(state.waiting.prefix(Self.limit))
            state.waiting.removeFirst(batch.count)
            if batch.isEmpty { state.busy -= 1 }
            return batch
        }
        batch.first?.caller?.resume(returning: .lead(batch))
    }

    private func store(_ events: [NewEvent]) async -> [Result<Receipt, any Error>] {
        let inserted: Set<ULID>
        do {
            inserted = try await database.write { tx in try NewEvent.insert(events, tx) }
        } catch {
            // One of them may have failed the others.
            guard events.count > 1, !Self.isOfAll(error) else { return events.map { _ in .failure(error) } }
            return await each(events) { await self.store([$0])[0] }
        }
        let again = events.filter { !inserted.contains($0.id) }
        guard !again.isEmpty else { return events.map { .success(.stored($0.id)) } }
        let known = await each(again) { await self.redeliver($0) }
        let duplicates = Dictionary(zip(again.map(\.id), known), uniquingKeysWith: { first, _ in first })
        return events.map { duplicates[$0.id] ?? .success(.stored($0.id)) }
    }

    /// Whether it would meet each of them too, or may have come after the commit.
    private static func isOfAll(_ error: any Error) -> Bool {
        switch error as? StorageError {
        case .connection, .poolExhausted, .closed, .timeout: true
        default: false
        }
    }

    private func redeliver(_ event: NewEvent) async -> Result<Receipt, any Error> {
        do {
            let id = try await database.transaction(event.context, category: .automated) { tx, _ in
                try event.redeliver(tx)
            }
            return .success(.duplicate(id))
        } catch { return .failure(error) }
    }

    /// Runs `body` for all events at once; the results in their order.
    private func each(
        _ events: [NewEvent], _ body: @escaping @Sendable (NewEvent) async -> Result<Receipt, any Error>
    ) async -> [Result<Receipt, any Error>] {
        await withTaskGroup(of: (Int, Result<Receipt, any Error>).self) { group in
            for (index, event) in events.enumerated() { group.addTask { (index, await body(event)) } }
            var results = events.map { _ in Result<Receipt, any Error>.failure(StorageError.closed) }
            for await (index, result) in group { results[index] = result }
            return results
        }
    }
}
