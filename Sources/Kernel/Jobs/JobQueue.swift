import JSON
package import Storage

/// The table `jobs`: claims, outcomes and rescue, each one statement or transaction.
///
/// A claim takes rows with a lease; whoever's lease ran out may be assumed
/// dead. An outcome is fenced by worker and attempt number, so a worker that
/// lost its lease cannot settle a job that somebody else now runs.
package enum JobQueue {
    /// The notification channel that announces new work.
    package static let channel = "jobs"

    /// What adds `jobs`, each for its own context. One whose unique key is taken is left out.
    static func inserts<J: Job>(_ jobs: [(job: J, context: Context)], at runAt: Instant? = nil) throws
        -> [SQL]
    {
        let rows: [SQL] = try jobs.map { job, context in
            let payload = String(decoding: try JSONCoding.encode(job), as: UTF8.self)
            return """
                (\(context.newID()), \(J.name), \(payload), 'available', 0, \(J.retry.maximumAttempts), \
                \(runAt ?? context.now), \(job.uniqueKey), \(context.requestID), \(context.traceID), \(context.now))
                """
        }
        return SQL.inserts(
            """
            INSERT INTO jobs (id, name, payload, state, attempt, max_attempts, run_at, unique_key, request_id, \
            trace_id, created_at) VALUES
            """, rows, " ON CONFLICT DO NOTHING")
    }

    /// Takes up to `limit` due jobs for `worker` until `lease`.
    static func claim(_ limit: Int, worker: String, lease: Instant, _ tx: Transaction, now: Instant) throws
        -> [JobRecord]
    {
        // Materialized, so that PostgreSQL chooses the rows once: a plan that runs the
        // choice again for each row would skip what it has just locked and take more.
        try tx.all(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM jobs WHERE state = 'available' AND run_at <= \(now)
                ORDER BY run_at, id LIMIT \(limit) \(.skipLocked))
            UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = \(worker), lease_until = \(lease)
            WHERE id IN (SELECT id FROM due)
            RETURNING \(JobRecord.columns)
            """)
    }

    /// When the earliest waiting job becomes due.
    static func nextDue(_ db: Snapshot) throws -> Instant? {
        try db.value("SELECT run_at FROM jobs WHERE state = 'available' ORDER BY run_at LIMIT 1")
    }

    /// Takes a waiting job away that something else has made needless.
    package static func cancel(uniqueKey: String, _ tx: Transaction) throws {
        try tx.run("DELETE FROM jobs WHERE unique_key = \(uniqueKey) AND state = 'available'")
    }

    /// Extends the leases of jobs that are still running.
    static func heartbeat(_ ids: [ULID], worker: String, lease: Instant, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE jobs SET lease_until = \(lease)
            WHERE state = 'running' AND worker = \(worker) AND id \(in: ids.map(\.description))
            """)
    }

    /// Takes over jobs whose worker stopped renewing its lease: they become
    /// due again, or are handed back to be discarded when out of attempts.
    static func rescue(_ tx: Transaction, now: Instant) throws -> [JobRecord] {
        try tx.run(
            """
            UPDATE jobs SET state = 'available', run_at = \(now), worker = NULL, lease_until = NULL, \
            error = 'the worker stopped without finishing'
            WHERE state = 'running' AND lease_until < \(now) AND attempt < max_attempts
            """)
        return try tx.all(
            """
            SELECT \(JobRecord.columns) FROM jobs
            WHERE state = 'running' AND lease_until < \(now) AND attempt >= max_attempts
            """)
    }

    /// Removes jobs that one worker has completed. Throws ``LeaseLost`` when any of
    /// them is no longer its own.
    static func complete(_ jobs: [JobRecord], _ tx: Transaction) throws {
        guard let worker = jobs.first?.worker else { return }
        let gone = try tx.rows(
            """
            DELETE FROM jobs WHERE id \(in: jobs.map(\.id.description)) AND state = 'running' \
            AND worker = \(worker) RETURNING id, attempt
            """)
        let attempts = Dictionary(
            try gone.map { (try $0.get(at: 0, as: ULID.self), try $0.get(at: 1, as: Int.self)) },
            uniquingKeysWith: { first, _ in first })
        for job in jobs where attempts[job.id] != job.attempt { throw LeaseLost(job: job.id) }
    }

    /// Writes how an attempt ended. Throws ``LeaseLost`` when the job is no
    /// longer this worker's, so that the surrounding transaction is undone.
    /// - Returns: whether the job was given up.
    static func settle(
        _ job: JobRecord, _ outcome: JobOutcome, _ policy: RetryPolicy, _ tx: Transaction, now: Instant
    ) throws -> Bool {
        let mine: SQL =
            "id = \(job.id) AND state = 'running' AND worker = \(job.worker) AND attempt = \(job.attempt)"
        let changed: Int
        var isDiscarded = false
        switch outcome {
        case .completed:
            changed = try tx.run("DELETE FROM jobs WHERE \(mine)").affected
        case .retry(let error) where job.attempt < job.maximumAttempts:
            changed = try tx.run(
                """
                UPDATE jobs SET state = 'available', worker = NULL, lease_until = NULL, error = \(error), \
                run_at = \(now + policy.delay(after: job.attempt)) WHERE \(mine)
                """
            ).affected
        case .retry(let error), .discard(let error):
            isDiscarded = true
            changed = try tx.run(
                """
                UPDATE jobs SET state = 'discarded', lease_until = NULL, error = \(error), finished_at = \(now)
                WHERE \(mine)
                """
            ).affected
        case .snooze(let wait):
            changed = try tx.run(
                """
                UPDATE jobs SET state = 'available', attempt = attempt - 1, worker = NULL, lease_until = NULL, \
                run_at = \(now + wait) WHERE \(mine)
                """
            ).affected
        }
        guard changed == 1 else { throw LeaseLost(job: job.id) }
        return isDiscarded
    }
}

/// The job was taken over by another worker while this one was busy.
struct LeaseLost: Error, CustomStringConvertible {
    let job: ULID
    var description: String { "The lease of job \(job) was lost." }
}
