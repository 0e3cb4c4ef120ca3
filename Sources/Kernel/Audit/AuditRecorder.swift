import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Writes the entries of reads and refusals in batches, at most
/// ``interval`` after the call, so that looking stays fast. They are sealed in
/// the transaction that writes them.
///
/// The queue is bounded: a caller that would overfill it waits for room, and
/// after ``patience`` its call fails with ``Failure/Code/unavailable``, for a
/// call that cannot be recorded is not answered. Entries of changes never come
/// here: they are in the change's own transaction.
package final class AuditRecorder: Service, Sendable {
    static let interval = Duration.milliseconds(50)
    static let capacity = 20_000
    static let batch = 500
    static let patience = Duration.seconds(5)

    private let database: any Database
    private let seal: AuditSeal
    private let environment: Environment
    private let queue = Mutex(Queue())

    private struct Queue: Sendable {
        var waiting: [AuditEntry] = []
        /// Taken out by a flush that has not ended.
        var inFlight = 0
        /// A write failed, so some of what waits may be in the database already.
        var isUnsure = false

        var count: Int { waiting.count + inFlight }
    }

    package init(database: any Database, signer: NoteSigner, environment: Environment) {
        self.database = database
        self.environment = environment
        seal = AuditSeal(signer: signer)
    }

    /// Takes an entry where nothing can be awaited, up to twice the capacity;
    /// beyond that it goes to the log instead, so that a flood of refused
    /// calls cannot fill the memory.
    package func recordNow(_ entry: AuditEntry) {
        let accepted = queue.withLock { queue in
            guard queue.count < Self.capacity * 2 else { return false }
            queue.waiting.append(entry)
            return true
        }
        if !accepted {
            environment.logger.error(
                "audit entry dropped", metadata: ["action": "\(entry.action)", "status": "\(entry.status)"])
        }
    }

    package func record(_ entry: AuditEntry) async throws {
        var waited = Duration.zero
        while true {
            let accepted = queue.withLock { queue in
                guard queue.count < Self.capacity else { return false }
                queue.waiting.append(entry)
                return true
            }
            if accepted { return }
            guard waited < Self.patience else {
                var failure = Failure(
                    .unavailable, "The audit log cannot keep up, and no call is answered unrecorded.",
                    hint: "Call again in a moment.", reason: "audit_backlog")
                failure.retryAfter = .seconds(1)
                throw failure
            }
            try await Task.sleep(for: .milliseconds(20))
            waited += .milliseconds(20)
        }
    }

    /// Entries that are not in the database yet.
    package var backlog: Int { queue.withLock(\.count) }

    package func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await flush()
        }
        await flush()
    }

    /// Writes everything that is waiting; on a database error it keeps the
    /// entries and the next round tries again. Several may run at a time.
    package func flush() async {
        while true {
            let (entries, isUnsure) = queue.withLock { queue in
                let entries = Array(queue.waiting.prefix(Self.batch))
                queue.waiting.removeFirst(entries.count)
                queue.inFlight += entries.count
                return (entries, queue.isUnsure)
            }
            guard !entries.isEmpty else { return }
            do {
                try await write(entries, isUnsure: isUnsure)
                queue.withLock { queue in
                    queue.inFlight -= entries.count
                    queue.isUnsure = false
                }
            } catch {
                queue.withLock { queue in
                    queue.inFlight -= entries.count
                    queue.waiting.insert(contentsOf: entries, at: 0)
                    queue.isUnsure = true
                }
                environment.logger.error("audit entries wait to be written", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    private func write(_ entries: [AuditEntry], isUnsure: Bool) async throws {
        let (seal, now) = (seal, environment.now())
        let sorted = entries.sorted { $0.id < $1.id }
        try await database.write { tx in
            // Asked only after a failure: the answer to a commit may be lost on its way.
            let known = isUnsure ? try AuditLog.known(sorted.map(\.id), tx) : []
            let fresh = known.isEmpty ? sorted : sorted.filter { !known.contains($0.id) }
            try tx.runMany(AuditLog.rows(fresh))
            try AuditSeal.lock(tx)
            do {
                try seal.append(fresh, to: try seal.frontier(tx), at: now, tx)
            } catch is Checkpoint.Problem {
                // With another key: they wait for the process that has the right one.
                try tx.runMany(AuditLog.announcements(fresh))
            }
        }
    }
}
