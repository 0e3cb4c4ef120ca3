import Kernel
import Storage

// What ran, and what is to run.
extension EmbeddedMonitor {
    @Sendable func history(_ filter: TaskHistoryFilter, _ now: Instant) async throws -> TaskHistoryReport {
        let (ended, live) = try await db.read { db in
            (try Self.ended(filter, now, db), try Self.live(filter, now, db))
        }
        return try .observed(
            live + ended, filter: filter, start: filter.countStart(now), source: .embedded,
            since: now - TaskExecution.retention, now: now)
    }

    /// Attempts that ended in the window, the latest first.
    private static func ended(_ filter: TaskHistoryFilter, _ now: Instant, _ db: Snapshot) throws
        -> [TaskHistoryReport.Row]
    {
        let found = try TaskExecution.list(filter, now, db)
        return found.map { run in
            TaskHistoryReport.Row(
                taskID: run.jobID.description, taskName: run.taskName, state: run.outcome.state,
                receivedAt: run.receivedAt, startedAt: run.startedAt,
                succeededAt: run.outcome == .completed ? run.finishedAt : nil,
                runtimeSeconds: Double(run.durationMS) / 1_000, result: TaskText.result(run.resultSummary),
                exception: TaskText.exception(run.error), retries: max(0, run.attempt - 1),
                failedAt: run.outcome == .discarded ? run.finishedAt : nil, worker: run.worker,
                queue: run.queue)
        }
    }

    /// Jobs that run now, or that wait and were enqueued in the window.
    private static func live(_ filter: TaskHistoryFilter, _ now: Instant, _ db: Snapshot) throws
        -> [TaskHistoryReport.Row]
    {
        let found: [JobRecord]
        switch filter.state {
        case nil, "STARTED":
            found = try JobState.running(db, name: filter.taskName, latest: true, limit: filter.limit + 1)
                .map(\.record)
        case "PENDING":
            let name: SQL = filter.taskName.map { " AND name = \($0)" } ?? ""
            found = try db.all(
                """
                SELECT \(JobRecord.columns) FROM jobs WHERE state IN ('available', 'scheduled')\(name)
                AND id >= \(ULID.first(at: filter.countStart(now)).description)
                ORDER BY id DESC LIMIT \(filter.limit + 1)
                """)
        default: return []
        }
        return found.map { job in
            let isRunning = filter.state != "PENDING"
            return TaskHistoryReport.Row(
                taskID: job.id.description, taskName: job.name, state: isRunning ? "STARTED" : "PENDING",
                receivedAt: job.createdAt, startedAt: isRunning ? job.startedAt : nil,
                retries: max(0, job.attempt - (isRunning ? 1 : 0)), worker: isRunning ? job.worker : nil,
                queue: job.queue)
        }
    }

    @Sendable func schedule(_ now: Instant) async throws -> ScheduleReport {
        let environment = context.environment
        let (states, runs) = try await db.read { db in
            let states = try JobState.schedule(environment, db, now: now)
            return (states, try JobState.latestRuns(Array(Set(states.map(\.job))).sorted(), db))
        }
        let latest = Dictionary(runs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = states.map { state in
            ScheduleReport.Entry(
                name: state.entry, task: state.job, schedule: state.cadence.words,
                lastRun: latest[state.job]?.startedAt, nextRun: state.nextSlot, enabled: state.isEnabled,
                queue: state.queue, lastStatus: latest[state.job]?.outcome.state,
                missedRuns: state.missed ?? 0)
        }
        let late = states.filter { state in
            // A slot that nobody has dealt with although the next one is near.
            guard state.isEnabled, let last = state.lastSlot, let due = state.cadence.latest(at: now) else {
                return false
            }
            return last < due && now - due > .seconds(60)
        }
        let problem =
            late.isEmpty
            ? nil
            : "No scheduler has looked for over a minute, and these should have run: "
                + late.map(\.entry).joined(separator: ", ") + ". Start instainstru serve or worker."
        return .observed(rows, source: .embedded, problem: problem, now: now)
    }

    @Sendable func lastRuns(_ names: [String], _ now: Instant) async throws -> LastRunReport {
        let runs = try await db.read { try JobState.latestRuns(names, $0) }
        let latest = Dictionary(runs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return .observed(
            names.map { name in
                LastRunReport.Run(
                    taskName: name, lastRunAt: latest[name]?.startedAt, status: latest[name]?.outcome.state)
            }, source: .embedded, since: now - TaskExecution.retention, now: now)
    }
}

extension TaskExecution.Outcome {
    /// The state as Celery calls it.
    var state: String {
        switch self {
        case .completed: "SUCCESS"
        case .discarded: "FAILURE"
        case .retryable, .snoozed: "RETRY"
        case .cancelled: "REVOKED"
        }
    }
}

extension Cadence {
    /// In words, e.g. `every 5 minutes`.
    var words: String {
        switch self {
        case .every(let seconds): return ScheduleText.every(seconds: Double(seconds))
        case .never(let text): return "never (\(text))"
        case .cron(let expression):
            let f = expression.text.split(separator: " ").map(String.init)
            return ScheduleText.cron(
                minute: f[0], hour: f[1], dayOfMonth: f[2], month: f[3], dayOfWeek: f[4])
        }
    }
}
