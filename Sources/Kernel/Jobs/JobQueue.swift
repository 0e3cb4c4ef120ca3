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
    static func insert<J: Job>(
        _ jobs: [(job: J, context: Context)], at runAt: Instant? = nil, uniqueKey: String? = nil
    ) throws -> [SQL] {
        let rows: [SQL] = try jobs.map { job, context in
            let payload = String(decoding: try JSONCoding.encode(job), as: UTF8.self)
            let due = runAt ?? context.now
            let state = due > context.now ? "scheduled" : "available"
            return """
                (\(context.newID()), \(J.name), \(J.queue.name), \(J.priority), \(payload), \(J.version), \
                \(state), 0, \(J.retry.maximumAttempts), \(due), \(uniqueKey ?? job.uniqueKey), \
                \(context.requestID), \(context.traceID), \(context.now))
                """
        }
        return SQL.inserts(
            """
            INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, max_attempts, \
            run_at, unique_key, request_id, trace_id, created_at) VALUES
            """, rows, " ON CONFLICT DO NOTHING")
    }

    /// Opens the window of a unique key unless it is open.
    static func open(_ key: String, _ window: Duration, _ now: Instant, _ tx: Transaction) throws -> Bool {
        try tx.run(
            """
            INSERT INTO job_windows (unique_key, until) VALUES (\(key), \(now + window))
            ON CONFLICT (unique_key) DO UPDATE SET until = excluded.until WHERE job_windows.until <= \(now)
            """
        ).affected > 0
    }

    /// Closes the window again that ``open(_:_:_:_:)`` opened for nothing.
    static func close(_ key: String, _ now: Instant, _ tx: Transaction) throws {
        try tx.run("UPDATE job_windows SET until = \(now) WHERE unique_key = \(key)")
    }

    /// How many jobs become ready in one claim at most.
    private static let promotions = 1_000

    /// Makes jobs ready whose time has come. Apart from the claim, so that a claim
    /// looks at ready jobs only and costs the same however many wait for a time.
    static func promotion(now: Instant) -> SQL {
        // Materialized, or PostgreSQL reads the whole table when many are due.
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM jobs WHERE state = 'scheduled' AND run_at <= \(now)
            ORDER BY run_at, id LIMIT \(promotions) \(.skipLocked))
        UPDATE jobs SET state = 'available' WHERE id IN (SELECT id FROM due)
        """
    }

    /// Takes ready jobs for `worker` until `lease`, from each queue up to a limit:
    /// the most urgent first, then those that have waited longest.
    /// - Parameter promoting: whether jobs count whose time has come since the last claim.
    package static func claim(
        _ limits: [(queue: String, limit: Int)], worker: String, lease: Instant, _ tx: Transaction,
        now: Instant, promoting: Bool = true
    ) throws -> [JobRecord] {
        if promoting { try tx.run(promotion(now: now)) }
        guard !limits.isEmpty else { return [] }
        return try tx.all(taking(limits, worker: worker, lease: lease, now: now))
    }

    /// The statement that takes up to so many ready jobs of each queue that is not paused.
    static func taking(
        _ limits: [(queue: String, limit: Int)], worker: String, lease: Instant, now: Instant
    ) -> SQL {
        // Every queue is in the text, also those that take nothing, so that it stays prepared.
        let parts: [SQL] = limits.enumerated().map { index, part in
            """
            SELECT id FROM (SELECT id FROM jobs WHERE state = 'available' AND queue = \(part.queue)
            AND NOT EXISTS (SELECT 1 FROM job_queues WHERE name = \(part.queue) AND paused_at IS NOT NULL)
            ORDER BY priority DESC, run_at, id LIMIT \(max(0, part.limit)) \(.skipLocked)) AS q\(raw: String(index))
            """
        }
        // Materialized, so that PostgreSQL chooses the rows once: a plan that runs the
        // choice again for each row would skip what it has just locked and take more.
        return "WITH due AS MATERIALIZED (" + .joined(parts, separator: " UNION ALL ")
            + """
            )
            UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = \(worker), \
            lease_until = \(lease), started_at = \(now), cancel_requested_at = NULL
            WHERE id IN (SELECT id FROM due) RETURNING \(JobRecord.columns)
            """
    }

    /// When the earliest job that waits for a time becomes due.
    static func nextDue(_ db: Snapshot) throws -> Instant? {
        try db.value("SELECT run_at FROM jobs WHERE state = 'scheduled' ORDER BY run_at LIMIT 1")
    }

    /// Gives a claimed job back that this process cannot run, for others to try.
    static func putBack(_ job: JobRecord, _ reason: String, until: Instant, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE jobs SET state = 'scheduled', attempt = attempt - 1, worker = NULL, lease_until = NULL, \
            error = \(reason), run_at = \(until) WHERE \(held(job))
            """)
    }

    private static func held(_ job: JobRecord) -> SQL {
        "id = \(job.id) AND state = 'running' AND worker = \(job.worker) AND attempt = \(job.attempt)"
    }

    /// Takes a waiting job away that something else has made needless.
    package static func cancel(uniqueKey: String, _ tx: Transaction) throws {
        try tx.run("DELETE FROM jobs WHERE unique_key = \(uniqueKey) AND state IN ('available', 'scheduled')")
    }

    /// Extends the leases of jobs that are still running.
    static func heartbeat(_ ids: [ULID], worker: String, lease: Instant, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE jobs SET lease_until = \(lease)
            WHERE state = 'running' AND worker = \(worker) AND id \(in: ids.map(\.description))
            """)
    }

    /// Whether somebody asked for a job to be stopped that this worker holds. The
    /// row is locked, so that nobody asks between this and the outcome.
    static func isToStop(_ job: JobRecord, _ tx: Transaction) throws -> Bool {
        try tx.value(
            "SELECT cancel_requested_at FROM jobs WHERE \(held(job)) \(.forUpdate)", as: Instant.self) != nil
    }

    /// Takes over jobs whose worker stopped renewing its lease: they become ready
    /// again. Those that are out of attempts, or that somebody asked to stop, are
    /// handed back to be ended.
    static func rescue(_ environment: Environment, _ tx: Transaction, now: Instant) throws -> [JobRecord] {
        let lost: [JobRecord] = try tx.all(
            """
            SELECT \(JobRecord.columns) FROM jobs WHERE state = 'running' AND lease_until < \(now)
            ORDER BY lease_until LIMIT 1000 \(.skipLocked)
            """)
        guard !lost.isEmpty else { return [] }
        let toStop: Set<ULID> = try Set(
            tx.values(
                """
                SELECT id FROM jobs WHERE id \(in: lost.map(\.id.description)) AND cancel_requested_at IS NOT NULL
                """
            ))
        let isOver: (JobRecord) -> Bool = { $0.attempt >= $0.maximumAttempts || toStop.contains($0.id) }
        let (again, over) = (lost.filter { !isOver($0) }, lost.filter(isOver))
        guard !again.isEmpty else { return over }
        try tx.run(
            """
            UPDATE jobs SET state = 'available', run_at = \(now), worker = NULL, lease_until = NULL, \
            error = \(lostReason) WHERE id \(in: again.map(\.id.description))
            """)
        try TaskExecution.write(
            again.map {
                TaskExecution($0, .retryable, error: lostReason, errorType: "WorkerLost", environment)
            }, tx)
        return over
    }

    static let lostReason = "the worker stopped without finishing"

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
        let changed: Int
        var isDiscarded = false
        switch outcome {
        case .completed, .cancelled:
            changed = try tx.run("DELETE FROM jobs WHERE \(held(job))").affected
        case .retry(let error) where job.attempt < job.maximumAttempts:
            let wait = policy.delay(after: job.attempt)
            changed = try tx.run(
                """
                UPDATE jobs SET state = \(wait > .zero ? "scheduled" : "available"), worker = NULL, \
                lease_until = NULL, error = \(error), run_at = \(now + wait) WHERE \(held(job))
                """
            ).affected
        case .retry(let error), .discard(let error):
            isDiscarded = true
            changed = try tx.run(
                """
                UPDATE jobs SET state = 'discarded', lease_until = NULL, error = \(error), finished_at = \(now)
                WHERE \(held(job))
                """
            ).affected
        case .snooze(let wait):
            changed = try tx.run(
                """
                UPDATE jobs SET state = 'scheduled', attempt = attempt - 1, worker = NULL, lease_until = NULL, \
                run_at = \(now + wait) WHERE \(held(job))
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
