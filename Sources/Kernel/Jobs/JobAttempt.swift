package import Storage
import Synchronization

/// One run of one job, handed to ``Job/run(_:)``.
package final class JobAttempt: Sendable {
    /// How long a transaction of several attempts waits for a lock. Longer, and
    /// each runs alone, so that one that has to wait does not hold up the others,
    /// and two groups that need each other's rows do not stand still.
    static let groupLockWait = Duration.milliseconds(50)

    /// What the history says of a job that somebody stopped.
    static let stopReason = "it was stopped while it ran"

    package let record: JobRecord
    package let context: Context
    package let database: any Database
    private let policy: RetryPolicy
    private let isDatabaseOnly: Bool
    private let discarded: @Sendable (String, Transaction, Context) throws -> Void
    private let settled = Mutex(false)
    private let notes = Mutex(Notes())

    private struct Notes: Sendable {
        var summary: String?
        var errorType: String?
    }

    init<J: Job>(_ job: J, _ record: JobRecord, context: Context, database: any Database) {
        self.record = record
        self.context = context
        self.database = database
        policy = J.retry
        isDatabaseOnly = J.isDatabaseOnly
        discarded = { reason, tx, context in try job.discarded(reason, tx, context) }
    }

    /// What the history says came of it, e.g. `3 bookings captured`; no personal data.
    package func summarize(_ text: String) { notes.withLock { $0.summary = text } }

    private var summary: String? { notes.withLock { $0.summary } }

    /// The type of the error that ended it.
    func note(errorType: String) { notes.withLock { $0.errorType = errorType } }

    package var isSettled: Bool { settled.withLock { $0 } }
    package var isLast: Bool { record.attempt >= record.maximumAttempts }

    /// One transaction that holds what the job does and how it ended.
    ///
    /// Throws ``LeaseLost`` and keeps nothing when another worker has the job.
    package func settle(_ body: @escaping @Sendable (Transaction, UnitOfWork) throws -> JobOutcome)
        async throws
    {
        try await database.transaction(context, category: .automated) { [self] tx, unit in
            if isDatabaseOnly { try tx.deferDurability() }
            try close(try body(tx, unit), tx)
        }
        settled.withLock { $0 = true }
    }

    /// One transaction that holds what several attempts of one worker do and how
    /// each ended; all of it or nothing is kept.
    static func settle(
        _ attempts: [JobAttempt], _ body: @escaping @Sendable (Transaction) throws -> [JobOutcome]
    ) async throws {
        guard let first = attempts.first else { return }
        try await first.database.write { tx in
            if attempts.allSatisfy(\.isDatabaseOnly) { try tx.deferDurability() }
            try tx.limitLockWait(to: groupLockWait)
            let outcomes = try body(tx)
            guard outcomes.count == attempts.count else {
                throw Failure(.internal, "\(attempts.count) attempts ended in \(outcomes.count) outcomes.")
            }
            var completed: [JobAttempt] = []
            for (attempt, outcome) in zip(attempts, outcomes) {
                if outcome == .completed {
                    completed.append(attempt)
                } else {
                    try tx.acting(attempt.unit()) { try attempt.close(outcome, tx) }
                }
            }
            try JobQueue.complete(completed.map(\.record), tx)
            let environment = first.context.environment
            try TaskExecution.write(
                completed.map {
                    TaskExecution($0.record, .completed, summary: $0.summary, environment)
                }, tx)
        }
        for attempt in attempts { attempt.settled.withLock { $0 = true } }
    }

    /// A unit of work of this attempt alone.
    func unit(keepsEntries: Bool = false) -> UnitOfWork {
        UnitOfWork(context, category: .automated, keepsEntries: keepsEntries)
    }

    private func close(_ outcome: JobOutcome, _ tx: Transaction) throws {
        let environment = context.environment
        // Somebody stopped it, so it does not run again, however this attempt ended.
        let outcome =
            try outcome.isAgain && JobQueue.isToStop(record, tx)
            ? .cancelled(reason: Self.stopReason) : outcome.recordable
        let isDiscarded = try JobQueue.settle(record, outcome, policy, tx, now: environment.now())
        let notes = notes.withLock { $0 }
        func ended(_ ending: TaskExecution.Outcome, _ error: String? = nil, _ type: String? = nil) throws {
            try TaskExecution.write(
                [
                    TaskExecution(
                        record, ending, error: error, errorType: type, summary: notes.summary, environment)
                ], tx)
        }
        switch outcome {
        case .completed: try ended(.completed)
        case .snooze: try ended(.snoozed)
        case .cancelled(let reason):
            try ended(.cancelled, reason, "Cancelled")
            try discarded(reason, tx, context)
        case .retry(let error), .discard(let error):
            try ended(isDiscarded ? .discarded : .retryable, error, notes.errorType ?? "JobFailed")
            if isDiscarded { try discarded(error, tx, context) }
        }
    }
}
