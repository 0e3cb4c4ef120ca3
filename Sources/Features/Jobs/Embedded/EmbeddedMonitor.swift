package import Kernel
package import Storage

/// Answers the questions of ``TaskMonitor`` from this platform's own tables.
///
/// Whatever it says was read in one snapshot; a database that does not answer
/// is an error of the call, not an answer.
package struct EmbeddedMonitor: Sendable {
    let db: Reader
    let context: Context

    package init(_ db: Reader, _ context: Context) {
        self.db = db
        self.context = context
    }

    private var lease: Duration { .seconds(context.configuration.jobLeaseSeconds) }

    @Sendable func workers(_ now: Instant) async throws -> WorkerReport {
        let found = try await db.read { [lease] in try JobState.workers($0, lease: lease, now: now) }
        let rows = found.map { worker in
            WorkerReport.Worker(
                hostname: "\(worker.id)@\(worker.hostname)", status: worker.isOnline ? .online : .offline,
                activeTasks: worker.running, processedTotal: worker.processed,
                concurrency: worker.concurrency, queues: worker.queues, observedAt: worker.heartbeatAt)
        }
        return .observed(rows, source: .embedded, problem: Self.problem(found), now: now)
    }

    private static func problem(_ workers: [WorkerState]) -> String? {
        let silent = workers.count { !$0.isOnline }
        if silent == workers.count {
            return "No worker is online, so jobs wait: start one with instainstru worker or serve."
        }
        guard silent > 0 else { return nil }
        return
            "\(silent) of \(workers.count) workers fell silent without ending; others take over their jobs."
    }

    @Sendable func queues(_ now: Instant) async throws -> QueueReport {
        let minutes = 5
        let (states, finished, workers) = try await db.read { [lease] db in
            (
                try JobState.queues(db), try JobState.finished(db, minutes: minutes, now: now),
                try JobState.workers(db, lease: lease, now: now).filter(\.isOnline)
            )
        }
        let byName = Dictionary(states.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var problems: [String] = []
        let rows = Queue.all.compactMap { byName[$0.name] }.map { state in
            let consumers = workers.count { $0.queues.contains(state.name) }
            if state.depth > 0, consumers == 0 {
                problems.append("\(state.name): jobs wait and no worker takes them.")
            }
            if state.pausedAt != nil {
                let why = state.reason.map { " (\(UntrustedText.cleaned($0, maximumCharacters: 200)))" } ?? ""
                problems.append("\(state.name) is paused by \(state.pausedBy ?? "somebody")\(why).")
            }
            return QueueReport.Queue(
                name: state.name, depth: state.depth, consumers: consumers,
                oldestAgeSeconds: state.oldestRunAt.map { max(0, (now - $0) / .seconds(1)) },
                running: state.running,
                throughputPerMinute: Double(finished[state.name] ?? 0) / Double(minutes),
                isPaused: state.pausedAt != nil, isAtLeast: state.depth == JobState.countLimit ? true : nil)
        }
        return .observed(
            rows, source: .embedded, problem: problems.isEmpty ? nil : problems.joined(separator: " "),
            now: now)
    }

    @Sendable func failedTasks(_ limit: Int, _ now: Instant) async throws -> FailedTaskReport {
        let found: [TaskExecution] = try await db.read { db in
            try db.all(
                """
                SELECT \(TaskExecution.columns) FROM task_executions WHERE outcome = 'discarded'
                ORDER BY id DESC LIMIT \(limit + 1)
                """)
        }
        let rows = found.map { run in
            FailedTaskReport.Row(
                taskID: run.jobID.description, taskName: run.taskName, queue: run.queue,
                failedAt: run.finishedAt, exception: TaskText.exception(run.error), traceback: nil,
                taskArgs: nil, taskKwargs: TaskText.arguments(run.arguments), worker: run.worker,
                retries: run.attempt - 1)
        }
        return try .observed(
            rows, limit: limit, source: .embedded, since: now - TaskExecution.retention, now: now)
    }

    @Sendable func activeTasks(_ now: Instant) async throws -> ActiveTaskReport {
        let jobs = try await db.read { try JobState.running($0, limit: 500) }
        let rows = jobs.map { job in
            (
                job.leaseUntil >= now,
                ActiveTaskReport.Row(
                    taskID: job.record.id.description, taskName: job.record.name,
                    worker: job.record.worker ?? "unknown", startedAt: job.record.startedAt, args: nil,
                    kwargs: TaskText.arguments(job.record.arguments), queue: job.record.queue,
                    runningSeconds: job.record.startedAt.map { max(0, (now - $0) / .seconds(1)) })
            )
        }
        let orphaned = rows.filter { !$0.0 }.map(\.1)
        return try .observed(
            rows.filter(\.0).map(\.1), orphaned: orphaned, source: .embedded,
            problem: orphaned.isEmpty
                ? nil : "\(orphaned.count) jobs are held by workers that fell silent; others take them over.",
            now: now)
    }
}

extension TaskExecution {
    /// The error's type and text.
    var error: String? { errorMessage.map { text in errorType.map { "\($0): \(text)" } ?? text } }
}

extension TaskMonitor {
    /// The cluster that is configured, or else our own engine.
    package static func current(_ db: Reader, _ context: Context) -> TaskMonitor {
        if let flower = flower(context) { return flower }
        let monitor = EmbeddedMonitor(db, context)
        return TaskMonitor(
            source: .embedded, workers: monitor.workers, queues: monitor.queues,
            failedTasks: monitor.failedTasks, activeTasks: monitor.activeTasks, history: monitor.history,
            schedule: monitor.schedule, lastRuns: monitor.lastRuns)
    }
}
