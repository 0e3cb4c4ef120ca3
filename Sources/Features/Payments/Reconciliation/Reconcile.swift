import JSON
package import Kernel
import Logging
import Storage

/// Compares our books with the provider's, and fetches events that never arrived.
///
/// Nightly over the last two days, and when somebody asks. What differs is a row of
/// `reconciliation_differences`; nothing else is changed, but by events that were missing.
package struct Reconcile: ScheduledJob {
    package static let name = "payments.reconcile"
    package static let queue = Queue.payments
    package static let priority = 2
    package static let timeout = Duration.seconds(1_800)
    package static let retry = RetryPolicy(maximumAttempts: 3, base: .seconds(300), cap: .seconds(1_800))
    static let period = Duration.seconds(48 * 3_600)
    /// What is younger may still be on its way to us.
    static let settling = Duration.seconds(600)

    /// The run that was asked for; nil for the nightly one.
    package var run: ULID?

    package init() {}

    package init(run: ULID) { self.run = run }

    package var uniqueKey: String? { run.map { "reconcile:\($0)" } }

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("reconcile-payments", cron: "20 4 * * *")]
    }

    package func run(_ attempt: JobAttempt) async throws {
        let provider = try PaymentProvider.required(attempt.context, attempt.database)
        let asked = run
        let run = try await attempt.database.transaction(attempt.context, category: .automated) { tx, unit in
            let now = unit.context.now
            let id =
                try asked
                ?? ReconciliationRun.plan(
                    since: now - Self.period, until: now - Self.settling, tx, unit.context)
            try tx.run("UPDATE reconciliation_runs SET state = 'running' WHERE id = \(id)")
            return try ReconciliationRun.find(id, tx)
        }
        guard let run else {
            return try await attempt.settle { _, _ in .discard(error: "the run is gone") }
        }
        let work = Reconciliation(
            run: run, provider: provider, database: attempt.database, context: attempt.context)
        do {
            let result = try await work.carryOut()
            try await attempt.settle { tx, unit in
                try result.store(run, tx, unit.context)
                attempt.summarize(result.text)
                return .completed
            }
        } catch let failure as Failure {
            try await attempt.settle { tx, unit in
                try tx.run(
                    """
                    UPDATE reconciliation_runs SET state = 'failed', problem = \(failure.message), \
                    finished_at = \(unit.context.environment.now()) WHERE id = \(run.id)
                    """)
                return .retry(error: failure.message)
            }
        }
    }
}

/// What a run came to.
struct ReconciliationResult: Sendable {
    var compared = 0
    var found = 0
    var resolved = 0

    var text: String { "\(compared) compared, \(found) differ, \(resolved) resolved" }

    func store(_ run: ReconciliationRun, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE reconciliation_runs SET state = 'done', compared = \(compared), found = \(found), \
            resolved = \(resolved), problem = NULL, finished_at = \(context.environment.now())
            WHERE id = \(run.id)
            """)
        try tx.audit(
            "payment.reconcile", Subject("reconciliation", run.id.description), description: text,
            status: found == 0 ? .success : .failed,
            metadata: [
                "compared": .int(compared), "found": .int(found), "resolved": .int(resolved),
                "since": .string(run.since.description), "until": .string(run.until.description),
            ])
        guard found > 0 else { return }
        context.logger.error(
            "our books and the payment provider's differ",
            metadata: ["run": "\(run.id)", "found": "\(found)"])
    }
}
