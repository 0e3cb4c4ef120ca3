import JSON
package import Storage

/// A worker as its row tells.
package struct WorkerState: Sendable {
    package var id: String
    package var hostname: String
    package var pid: Int
    package var queues: [String]
    package var concurrency: Int
    package var processed: Int
    package var running: Int
    package var heartbeatAt: Instant
    package var isOnline: Bool
}

/// What waits in a queue.
package struct QueueState: Sendable {
    package var name: String
    /// Ready and not taken; at most ``JobState/countLimit``.
    package var depth: Int
    package var oldestRunAt: Instant?
    package var running: Int
    package var pausedAt: Instant?
    package var pausedBy: String?
    package var reason: String?
}

/// A job that runs now.
package struct RunningJob: Sendable {
    package var record: JobRecord
    package var leaseUntil: Instant
}

/// An entry of the schedule as it stands.
package struct ScheduleState: Sendable {
    package var entry: String
    package var job: String
    package var queue: String
    package var cadence: Cadence
    package var isEnabled: Bool
    package var lastSlot: Instant?
    package var lastEnqueuedAt: Instant?
    package var missed: Int?
    package var nextSlot: Instant?
}

/// The newest attempt of a job.
package struct LatestRun: Sendable {
    package var name: String
    package var startedAt: Instant
    package var outcome: TaskExecution.Outcome
}

/// Looks at the job engine's tables; every question is one or two statements.
package enum JobState {
    /// More of a queue is not counted.
    package static let countLimit = 50_000
    /// How long a silent worker is shown.
    private static let memory = Duration.seconds(3_600)

    package static func workers(_ db: Snapshot, lease: Duration, now: Instant) throws -> [WorkerState] {
        let running = try db.rows("SELECT worker, COUNT(*) FROM jobs WHERE state = 'running' GROUP BY worker")
        let counts = Dictionary(
            try running.map { (try $0.get(at: 0, as: String.self), try $0.get(at: 1, as: Int.self)) },
            uniquingKeysWith: { first, _ in first })
        return try db.rows(
            """
            SELECT id, hostname, pid, queues, concurrency, processed, heartbeat_at FROM job_workers
            WHERE stopped_at IS NULL AND heartbeat_at >= \(now - memory) ORDER BY started_at, id LIMIT 200
            """
        ).map { row in
            let id: String = try row.get(at: 0)
            let heartbeat: Instant = try row.get(at: 6)
            return WorkerState(
                id: id, hostname: try row.get(at: 1), pid: try row.get(at: 2),
                queues: names(try row.get(at: 3)), concurrency: try row.get(at: 4),
                processed: try row.get(at: 5), running: counts[id] ?? 0, heartbeatAt: heartbeat,
                isOnline: heartbeat >= now - lease)
        }
    }

    /// The queues of a worker's row, `["payments","celery"]`.
    private static func names(_ json: String) -> [String] {
        (try? JSONValue(parsing: json))?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    package static func queues(_ db: Snapshot) throws -> [QueueState] {
        let names = SQL.joined(Queue.all.map { "(\($0.name))" }, separator: ", ")
        let priorities = SQL.joined((0...10).map { "(\(raw: String($0)))" }, separator: ", ")
        // The oldest of each priority is the first of its part of the index.
        return try db.rows(
            """
            WITH names (name) AS (VALUES \(names)), priorities (priority) AS (VALUES \(priorities))
            SELECT names.name,
                (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state = 'available' AND queue = names.name
                    LIMIT \(countLimit)) AS waiting),
                (SELECT MIN(first) FROM (SELECT (SELECT run_at FROM jobs WHERE state = 'available'
                    AND queue = names.name AND priority = priorities.priority ORDER BY run_at, id LIMIT 1) AS first
                    FROM priorities) AS firsts),
                (SELECT COUNT(*) FROM jobs WHERE state = 'running' AND queue = names.name),
                job_queues.paused_at, job_queues.paused_by, job_queues.reason
            FROM names LEFT JOIN job_queues ON job_queues.name = names.name
            """
        ).map { row in
            QueueState(
                name: try row.get(at: 0), depth: try row.get(at: 1), oldestRunAt: try row.get(at: 2),
                running: try row.get(at: 3), pausedAt: try row.get(at: 4), pausedBy: try row.get(at: 5),
                reason: try row.get(at: 6))
        }
    }

    /// Queues in which jobs wait that are not paused and that no worker online takes from.
    package static func unattended(_ db: Snapshot, lease: Duration, now: Instant) throws -> [String] {
        let attended = Set(try workers(db, lease: lease, now: now).filter(\.isOnline).flatMap(\.queues))
        return try queues(db).filter { $0.depth > 0 && $0.pausedAt == nil && !attended.contains($0.name) }
            .map(\.name).sorted()
    }

    /// Attempts that ended per queue in the last whole minutes.
    package static func finished(_ db: Snapshot, minutes: Int, now: Instant) throws -> [String: Int] {
        let end = Tally.floor(now)
        var sums: [String: Int] = [:]
        for count in try TaskExecution.tally.counts(
            from: end - .seconds(60 * minutes), to: end, filters: [], db)
        { sums[count.dimensions[3], default: 0] += count.count }
        return sums
    }

    /// What runs now, the longest first; of one name when given.
    /// - Parameter latest: the latest first instead.
    package static func running(_ db: Snapshot, name: String? = nil, latest: Bool = false, limit: Int) throws
        -> [RunningJob]
    {
        let filter: SQL = name.map { " AND name = \($0)" } ?? ""
        let order: SQL = latest ? "started_at DESC, id DESC" : "started_at, id"
        return try db.rows(
            """
            SELECT \(JobRecord.columns), lease_until FROM jobs WHERE state = 'running'\(filter)
            ORDER BY \(order) LIMIT \(limit)
            """
        ).map { RunningJob(record: try JobRecord(row: $0), leaseUntil: try $0.get(at: 13)) }
    }

    package static func schedule(_ environment: Environment, _ db: Snapshot, now: Instant) throws
        -> [ScheduleState]
    {
        let rows = try db.rows("SELECT entry, last_slot, last_enqueued_at, missed FROM job_schedules")
        let known = Dictionary(
            try rows.map { (try $0.get(at: 0, as: String.self), $0) }, uniquingKeysWith: { first, _ in first }
        )
        return try Scheduler.entries(environment.features, environment.configuration).map { entry in
            let row = known[entry.schedule.name]
            return ScheduleState(
                entry: entry.schedule.name, job: entry.job, queue: entry.queue,
                cadence: entry.schedule.cadence,
                isEnabled: entry.schedule.isEnabled, lastSlot: try row?.get(at: 1),
                lastEnqueuedAt: try row?.get(at: 2), missed: try row?.get(at: 3),
                nextSlot: entry.schedule.isEnabled ? entry.schedule.cadence.next(after: now) : nil)
        }
    }

    /// The newest attempt of each of these jobs that has one.
    package static func latestRuns(_ jobs: [String], _ db: Snapshot) throws -> [LatestRun] {
        guard !jobs.isEmpty else { return [] }
        let names = SQL.joined(jobs.map { "(\($0))" }, separator: ", ")
        return try db.rows(
            """
            WITH names (name) AS (VALUES \(names))
            SELECT task_name, started_at, outcome FROM task_executions WHERE id IN (
                SELECT (SELECT id FROM task_executions WHERE task_name = names.name ORDER BY id DESC LIMIT 1)
                FROM names)
            """
        ).map {
            LatestRun(name: try $0.get(at: 0), startedAt: try $0.get(at: 1), outcome: try $0.get(at: 2))
        }
    }
}
