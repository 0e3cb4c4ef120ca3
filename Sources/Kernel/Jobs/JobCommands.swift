package import Storage

/// One job as somebody who intervenes sees it.
package struct JobRow: Sendable, Codable, RowDecodable {
    package var id: ULID
    package var name: String
    package var queue: String
    /// `scheduled`, `available`, `running` or `discarded`.
    package var state: String
    package var attempt: Int
    package var error: String?
    package var createdAt: Instant

    static let columns: SQL = "id, name, queue, state, attempt, error, created_at"

    package init(row: Row) throws {
        id = try row.get(at: 0)
        name = try row.get(at: 1)
        queue = try row.get(at: 2)
        state = try row.get(at: 3)
        attempt = try row.get(at: 4)
        error = try row.get(at: 5, as: String?.self).map { UntrustedText.cleaned($0, maximumCharacters: 300) }
        createdAt = try row.get(at: 6)
    }
}

// What people do to jobs and queues.
extension JobQueue {
    /// The rows of these jobs, locked, in the order of their ids.
    package static func lock(_ ids: [ULID], _ tx: Transaction) throws -> [JobRow] {
        try tx.all(
            """
            SELECT \(JobRow.columns) FROM jobs WHERE id \(in: ids.map(\.description)) ORDER BY id \(.forUpdate)
            """)
    }

    /// Jobs that were given up, the latest first; of one name when given.
    package static func discarded(_ name: String?, limit: Int, _ tx: Transaction) throws -> [JobRow] {
        let filter: SQL = name.map { " AND name = \($0)" } ?? ""
        return try tx.all(
            """
            SELECT \(JobRow.columns) FROM jobs WHERE state = 'discarded'\(filter)
            ORDER BY finished_at DESC, id LIMIT \(limit) \(.forUpdate)
            """)
    }

    /// Makes jobs that were given up ready again, with all their attempts.
    ///
    /// Throws ``Failure/Code/conflict`` when another job with the same unique key waits.
    package static func retry(_ jobs: [JobRow], _ tx: Transaction, _ context: Context) throws {
        do {
            try tx.savepoint {
                try tx.run(
                    """
                    UPDATE jobs SET state = 'available', attempt = 0, run_at = \(context.now), worker = NULL, \
                    lease_until = NULL, finished_at = NULL WHERE state = 'discarded' \
                    AND id \(in: jobs.map(\.id.description))
                    """)
            }
        } catch StorageError.uniqueViolation {
            throw Failure(
                .conflict, "A newer job with the same unique key is waiting or running.",
                hint: "Look at celery_active_tasks and celery_task_history; discard one of the two.",
                reason: "job_key_taken")
        }
        try tx.notify(channel, "")
    }

    /// Ends jobs for good: what waits, or is held by a worker that is gone, is taken
    /// away and leaves a row in the history, what runs is asked to stop, what was
    /// given up is forgotten.
    /// - Returns: those that were asked to stop.
    package static func discard(_ jobs: [JobRow], _ reason: String, _ tx: Transaction, _ context: Context)
        throws -> Set<ULID>
    {
        let ids = jobs.map(\.id.description)
        let isHeld: SQL = "(state = 'running' AND lease_until >= \(context.now))"
        let records: [JobRecord] = try tx.all(
            """
            SELECT \(JobRecord.columns) FROM jobs WHERE id \(in: ids) AND state <> 'discarded' AND NOT \(isHeld)
            """)
        for record in records { try tell(record, reason, tx, context) }
        try tx.run("DELETE FROM jobs WHERE id \(in: ids) AND NOT \(isHeld)")
        try TaskExecution.write(
            records.map {
                TaskExecution($0, .cancelled, error: reason, errorType: "Cancelled", context.environment)
            }, tx)
        let stopping: [ULID] = try tx.values("SELECT id FROM jobs WHERE id \(in: ids) ORDER BY id")
        for id in stopping {
            try tx.run("UPDATE jobs SET cancel_requested_at = \(context.now) WHERE id = \(id)")
            try tx.notify(channel, id.description)
        }
        return Set(stopping)
    }

    /// Lets a job do what it does when it is given up.
    private static func tell(_ job: JobRecord, _ reason: String, _ tx: Transaction, _ context: Context) throws
    {
        do { try context.environment.jobs[job.name]?.discarded(job, reason, tx, context) } catch let error
            as StorageError
        {
            // The transaction may run again, or is over.
            throw error
        } catch {
            throw Failure(
                .conflict, "The job \(job.id) ('\(job.name)') cannot be ended: what it undoes then failed.",
                hint: "Nothing was changed. The log has the cause; end the other jobs without it.",
                reason: "job_discard_failed", cause: error)
        }
    }

    /// Stops or starts the giving out of a queue's jobs; what runs goes on.
    /// - Returns: whether that changed anything.
    package static func pause(_ queue: String, _ reason: String, _ tx: Transaction, _ context: Context) throws
        -> Bool
    {
        try tx.run(
            """
            INSERT INTO job_queues (name, paused_at, paused_by, reason) VALUES (\(queue), \(context.now), \
            \(context.actor.email ?? context.actor.name), \(reason))
            ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by, \
            reason = excluded.reason WHERE job_queues.paused_at IS NULL
            """
        ).affected > 0
    }

    package static func resume(_ queue: String, _ tx: Transaction) throws -> Bool {
        let changed = try tx.run(
            "UPDATE job_queues SET paused_at = NULL WHERE name = \(queue) AND paused_at IS NOT NULL"
        ).affected
        try tx.notify(channel, "")
        return changed > 0
    }
}
