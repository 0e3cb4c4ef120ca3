package import JSON
package import Storage

/// What one transaction did, beyond its rows: audit entries and jobs.
///
/// Attached to a ``Storage/Transaction`` by whoever opens it (the runner, the
/// worker, a receiver); `tx.audit` and `tx.enqueue` find it there. A preview
/// is this list after the transaction was rolled back.
package final class UnitOfWork {
    package private(set) var context: Context
    package private(set) var effects: [EffectPreview] = []
    /// Jobs that the caller waits for.
    private(set) var awaited: [ULID] = []
    /// Entries of automated work; see ``AuditCategory``.
    package let category: AuditCategory

    /// Whether audit entries are kept for whoever shares the transaction with
    /// others, to be inserted together before its end.
    let keepsEntries: Bool

    package init(_ context: Context, category: AuditCategory, keepsEntries: Bool = false) {
        self.context = context
        self.category = category
        self.keepsEntries = keepsEntries
    }

    /// From here on audit entries name `actor`: a call found out who it is.
    package func become(_ actor: Actor) { context.actor = actor }

    /// Runs `body` with `actor` as the one whom audit entries name.
    package func acting<T>(as actor: Actor, _ body: () throws -> T) rethrows -> T {
        let own = context.actor
        context.actor = actor
        defer { context.actor = own }
        return try body()
    }

    /// The caller waits for that job.
    func await(_ job: ULID) { awaited.append(job) }

    /// Adds to what a preview shows.
    package func note(_ effect: EffectPreview) { effects.append(effect) }

    /// Drops what was noted after a savepoint that was rolled back.
    func forget(after count: Int) { effects.removeSubrange(count...) }
}

/// One thing a command did or would do.
package struct EffectPreview: Codable, Sendable, Hashable {
    /// `change` for an audited change of a row, `job` for work that would be enqueued,
    /// `message` for an e-mail or SMS that would be sent.
    package var kind: String
    /// The audit action, the job's name, or the event that the message tells of.
    package var action: String
    package var resourceType: String?
    package var resourceID: String?
    /// Field → old and new value, redacted.
    package var changes: RawJSON?

    package init(
        kind: String, action: String, resourceType: String?, resourceID: String?, changes: RawJSON?
    ) {
        self.kind = kind
        self.action = action
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.changes = changes
    }

    /// What must be the same when a confirmed call runs: everything but the
    /// ids and values that are new on every run.
    var fingerprint: JSONValue {
        var parts: [JSONValue] = [.string(kind), .string(action), resourceType.map { .string($0) } ?? .null]
        guard let changes, case .object(let fields)? = try? JSONValue(parsing: changes.bytes) else {
            return .array(parts)
        }
        let isNew = fields.allSatisfy { $0.value["old"]?.isNull ?? true }
        if !isNew { parts.append(resourceID.map { .string($0) } ?? .null) }
        for (key, value) in fields {
            parts.append(.array([.string(key), value["old"] ?? .null]))
        }
        return .array(parts)
    }
}

extension Transaction {
    /// The unit of work of this transaction; a transaction opened without one
    /// cannot audit or enqueue, and says so.
    package var unit: UnitOfWork {
        get throws {
            guard let unit = work as? UnitOfWork else {
                throw Failure(.internal, "This transaction was opened without a unit of work.")
            }
            return unit
        }
    }

    /// Runs `body` with `unit` as the transaction's unit of work.
    func acting<T>(_ unit: UnitOfWork, _ body: () throws -> T) rethrows -> T {
        let outer = work
        work = unit
        defer { work = outer }
        return try body()
    }
}

extension Database {
    /// One transaction with its unit of work. With `keeping: false` everything
    /// is rolled back after `body` returned.
    package func transaction<T: Sendable>(
        _ context: Context, category: AuditCategory, keeping: Bool = true,
        _ body: @escaping @Sendable (Transaction, UnitOfWork) throws -> T
    ) async throws -> T {
        let run: @Sendable (Transaction) throws -> T = { tx in
            let unit = UnitOfWork(context, category: category)
            return try tx.acting(unit) { try body(tx, unit) }
        }
        return keeping ? try await write(run) : try await rehearse(run)
    }
}
