package import Storage
import Synchronization

/// One run of one job, handed to ``Job/run(_:)``.
package final class JobAttempt: Sendable {
    package let record: JobRecord
    package let context: Context
    package let database: any Database
    private let policy: RetryPolicy
    private let discarded: @Sendable (String, Transaction, Context) throws -> Void
    private let settled = Mutex(false)

    init<J: Job>(_ job: J, _ record: JobRecord, context: Context, database: any Database) {
        self.record = record
        self.context = context
        self.database = database
        policy = J.retry
        discarded = { reason, tx, context in try job.discarded(reason, tx, context) }
    }

    package var isSettled: Bool { settled.withLock { $0 } }
    package var isLast: Bool { record.attempt >= record.maximumAttempts }

    /// One transaction that holds what the job does and how it ended.
    ///
    /// Throws ``LeaseLost`` and keeps nothing when another worker has the job.
    package func settle(_ body: @escaping @Sendable (Transaction, UnitOfWork) throws -> JobOutcome)
        async throws
    {
        try await database.transaction(context, category: .automated) { [self] tx, unit in
            let outcome = try body(tx, unit)
            let isDiscarded = try JobQueue.settle(record, outcome, policy, tx, now: context.environment.now())
            switch outcome {
            case .retry(let error), .discard(let error):
                if isDiscarded { try discarded(error, tx, context) }
            case .completed, .snooze: break
            }
        }
        settled.withLock { $0 = true }
    }
}
