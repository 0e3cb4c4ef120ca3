import JSON
import Kernel
import Storage

/// Lists attempts from the table that outlives restarts.
struct CeleryTaskHistoryPersistent: Query {
    static let name = "celery_task_history_persistent"
    static let title = "Task executions"
    static let summary =
        "Attempts of background jobs of up to 90 days, the latest end first, with durations and errors."
    static let route = Route.get("celery/task-executions")

    enum Status: String, Codable, InputEnum {
        case started = "STARTED", success = "SUCCESS", failure = "FAILURE", retry = "RETRY", revoked =
            "REVOKED"
    }

    @Input("The full name of a job, e.g. webhooks.process.", .length(1...200)) var taskName: String?
    @Input("Only this status.") var status: Status?
    @Input("Attempts that ended in so many hours; what runs is in all.", .range(1...2_160)) var sinceHours =
        24
    @Input("Rows to return.", .range(1...500)) var limit = 50

    struct Filters: Codable, Sendable {
        var taskName: String?
        var status: Status?
        var sinceHours: Int
        var limit: Int
    }

    struct Row: Codable, Sendable {
        var id: String
        var celeryTaskID: String
        var taskName: String
        var queue: String?
        var status: String
        var startedAt: Instant?
        var finishedAt: Instant?
        var durationMS: Int?
        var retries: Int
        var errorType: String?
        var errorMessage: String?
        var resultSummary: String?
        var worker: String?
        var traceID: String?
        var requestID: String?
        var createdAt: Instant
        var arguments: String?
        var deploySHA: String?
    }

    struct Output: Codable, Sendable {
        var executions: [Row]
        var count: Int
        var leftOut: String?
        var filtersApplied: Filters
        var checkedAt: Instant
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let now = context.now
        let filter = TaskHistoryFilter(
            taskName: taskName, state: status?.rawValue, hours: sinceHours, limit: limit)
        let found: [Row] =
            status == .started
            ? try await db.read { db in
                // An attempt that runs has not ended, so it is in every window.
                try JobState.running(db, name: filter.taskName, latest: true, limit: filter.limit + 1)
            }.map { Row($0.record) }
            : try await db.read { try TaskExecution.list(filter, now, $0) }.map { Row($0) }
        let rows = try RowBudget.fit(found, limit: limit)
        return Output(
            executions: rows.shown, count: rows.shown.count, leftOut: rows.leftOut,
            filtersApplied: Filters(taskName: taskName, status: status, sinceHours: sinceHours, limit: limit),
            checkedAt: now)
    }
}

extension CeleryTaskHistoryPersistent.Row {
    init(_ run: TaskExecution) {
        id = run.id.description
        celeryTaskID = run.jobID.description
        taskName = run.taskName
        queue = run.queue
        status = run.outcome.state
        startedAt = run.startedAt
        finishedAt = run.finishedAt
        durationMS = run.durationMS
        retries = max(0, run.attempt - 1)
        errorType = run.errorType
        errorMessage = run.errorMessage.map { UntrustedText.cleaned($0, maximumCharacters: 2_000) }
        resultSummary = TaskText.result(run.resultSummary)
        worker = run.worker
        traceID = run.traceID
        requestID = run.requestID
        createdAt = run.receivedAt
        arguments = TaskText.arguments(run.arguments)
        deploySHA = run.deploySHA
    }

    init(_ job: JobRecord) {
        id = job.id.description
        celeryTaskID = job.id.description
        taskName = job.name
        queue = job.queue
        status = "STARTED"
        startedAt = job.startedAt
        retries = max(0, job.attempt - 1)
        worker = job.worker
        traceID = job.traceID
        requestID = job.requestID
        createdAt = job.createdAt
        arguments = TaskText.arguments(job.arguments)
    }
}

/// Counts and durations by job, from roll-ups.
struct CeleryTaskStats: Query {
    static let name = "celery_task_stats"
    static let title = "Task statistics"
    static let summary = "Counts, success rate and durations by background job over up to 90 days."
    static let route = Route.get("celery/task-stats")

    @Input("The full name of a job; all when left out.", .length(1...200)) var taskName: String?
    @Input("Attempts that ended in so many hours.", .range(1...2_160)) var sinceHours = 24

    struct Filters: Codable, Sendable {
        var taskName: String?
        var sinceHours: Int
    }

    struct Stat: Codable, Sendable {
        var taskName: String
        /// Attempts, whatever became of them.
        var totalCount: Int
        var successCount: Int
        var failureCount: Int
        /// Of those that succeeded or failed for good; 0 when there are none.
        var successRate: Double
        /// Within one percent, of those that succeeded or failed for good.
        var avgDurationMS: Double?
        var p50DurationMS: Double?
        var p95DurationMS: Double?
        var lastSuccessAt: Instant?
        var lastFailureAt: Instant?
        var retryCount: Int
    }

    struct Output: Codable, Sendable {
        var stats: [Stat]
        var count: Int
        var filtersApplied: Filters
        var windowStart: Instant
        var checkedAt: Instant
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let now = context.now
        let start = Tally.floor(now - .seconds(sinceHours * 3_600))
        let name = taskName
        let (counts, latest) = try await db.read { db in
            let counts = try TaskExecution.tally.counts(
                from: start, to: Tally.floor(now) + .seconds(60), filters: [name], db)
            return (counts, try TaskExecution.latest(Set(counts.map { $0.dimensions[0] }).sorted(), db))
        }
        let stats = Dictionary(grouping: counts, by: { $0.dimensions[0] }).map { name, counts in
            Stat(name, counts, latest[name], since: start)
        }.sorted { ($1.totalCount, $0.taskName) < ($0.totalCount, $1.taskName) }
        return Output(
            stats: stats, count: stats.count,
            filtersApplied: Filters(taskName: taskName, sinceHours: sinceHours), windowStart: start,
            checkedAt: now)
    }
}

extension CeleryTaskStats.Stat {
    init(
        _ name: String, _ counts: [Tally.Count], _ latest: (success: Instant?, failure: Instant?)?,
        since start: Instant
    ) {
        func sum(_ outcomes: TaskExecution.Outcome...) -> Int {
            counts.filter { outcomes.map(\.rawValue).contains($0.dimensions[1]) }.reduce(0) { $0 + $1.count }
        }
        taskName = name
        totalCount = counts.reduce(0) { $0 + $1.count }
        successCount = sum(.completed)
        failureCount = sum(.discarded)
        retryCount = sum(.retryable)
        let ended = successCount + failureCount
        successRate = ended == 0 ? 0 : Double(successCount) / Double(ended)
        let histogram = DurationHistogram(
            counts.filter { ["completed", "discarded"].contains($0.dimensions[1]) }.map {
                ($0.dimensions[2], $0.count)
            })
        avgDurationMS = histogram.average
        p50DurationMS = histogram.percentile(0.5)
        p95DurationMS = histogram.percentile(0.95)
        lastSuccessAt = latest?.success.flatMap { $0 >= start ? $0 : nil }
        lastFailureAt = latest?.failure.flatMap { $0 >= start ? $0 : nil }
    }
}
