import Storage

/// Stores deliveries, those that wait together in one transaction.
///
/// PostgreSQL lines up commits that announce something, so one transaction runs at a
/// time. Nobody is answered before the commit of their own row.
final class ReceiptBatches: Sendable {
    typealias Receipt = WebhookLedger.Receipt

    private typealias Stored = Result<Receipt, any Error>

    private let batches: Batches<NewEvent, Receipt>

    init(database: any Database) {
        batches = Batches { events in await Self.store(events, database) }
    }

    /// Returns when the event is durable, or known to be in the ledger already.
    func store(_ event: NewEvent) async throws -> Receipt { try await batches(event) }

    private static func store(_ events: [NewEvent], _ database: any Database) async -> [Stored] {
        let inserted: Set<ULID>
        do {
            inserted = try await database.write { tx in try NewEvent.insert(events, tx) }
        } catch {
            // One of them may have failed the others.
            guard events.count > 1, !isOfAll(error) else { return events.map { _ in .failure(error) } }
            return await each(events) { await store([$0], database)[0] }
        }
        let again = events.filter { !inserted.contains($0.id) }
        guard !again.isEmpty else { return events.map { .success(.stored($0.id)) } }
        let known = await each(again) { await redeliver($0, database) }
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

    private static func redeliver(_ event: NewEvent, _ database: any Database) async -> Stored {
        do {
            let id = try await database.transaction(event.context, category: .automated) { tx, _ in
                try event.redeliver(tx)
            }
            return .success(.duplicate(id))
        } catch { return .failure(error) }
    }

    /// Runs `body` for all events at once; the results in their order.
    private static func each(
        _ events: [NewEvent], _ body: @escaping @Sendable (NewEvent) async -> Stored
    ) async -> [Stored] {
        await withTaskGroup(of: (Int, Stored).self) { group in
            for (index, event) in events.enumerated() { group.addTask { (index, await body(event)) } }
            var results = events.map { _ in Stored.failure(StorageError.closed) }
            for await (index, result) in group { results[index] = result }
            return results
        }
    }
}
