import JSON
import Kernel
import Storage

// The seven monitoring tools: each asks the task system that is configured.

/// Lists workers and their load.
struct CeleryWorkerStatus: Query {
    static let name = "celery_worker_status"
    static let title = "Workers"
    static let summary = "Workers that run background tasks: online or silent, load, queues they take from."
    static let route = Route.get("celery/workers")

    typealias Output = WorkerReport

    func run(_ db: Reader, _ context: Context) async throws -> WorkerReport {
        try await TaskMonitor.current(db, context).workers(context.now)
    }
}

/// Counts what waits, by queue.
struct CeleryQueueDepth: Query {
    static let name = "celery_queue_depth"
    static let title = "Queue depth"
    static let summary =
        "What waits in each queue: depth, age of the oldest, consumers, throughput, paused or not."
    static let route = Route.get("celery/queues")

    typealias Output = QueueReport

    func run(_ db: Reader, _ context: Context) async throws -> QueueReport {
        try await TaskMonitor.current(db, context).queues(context.now)
    }
}

/// Lists tasks that failed for good.
struct CeleryFailedTasks: Query {
    static let name = "celery_failed_tasks"
    static let title = "Failed tasks"
    static let summary = "Background tasks that failed for good, newest first, with the error."
    static let route = Route.get("celery/failed")

    @Input("Rows to return.", .range(1...100)) var limit = 50

    typealias Output = FailedTaskReport

    func run(_ db: Reader, _ context: Context) async throws -> FailedTaskReport {
        try await TaskMonitor.current(db, context).failedTasks(limit, context.now)
    }
}

/// Lists what runs now.
struct CeleryActiveTasks: Query {
    static let name = "celery_active_tasks"
    static let title = "Active tasks"
    static let summary =
        "Background tasks that run at this moment, longest first, and those whose worker is gone."
    static let route = Route.get("celery/tasks/active")

    typealias Output = ActiveTaskReport

    func run(_ db: Reader, _ context: Context) async throws -> ActiveTaskReport {
        try await TaskMonitor.current(db, context).activeTasks(context.now)
    }
}

/// The states by which `celery_task_history` filters.
enum TaskState: String, InputEnum {
    case success = "SUCCESS", failure = "FAILURE", pending = "PENDING", started = "STARTED", retry = "RETRY"
    case revoked = "REVOKED"
}

/// Lists tasks of the last hours.
struct CeleryTaskHistory: Query {
    static let name = "celery_task_history"
    static let title = "Task history"
    static let summary = "Background tasks of the last hours, newest first, by name and state."
    static let route = Route.get("celery/tasks/history")

    @Input("The full name of a task, e.g. webhooks.process.", .length(1...200)) var taskName: String?
    @Input("Only this state.") var state: TaskState?
    @Input("How many hours back to look.", .range(1...24)) var hours = 1
    @Input("Rows to return.", .range(1...500)) var limit = 100

    typealias Output = TaskHistoryReport

    func run(_ db: Reader, _ context: Context) async throws -> TaskHistoryReport {
        let filter = TaskHistoryFilter(taskName: taskName, state: state?.rawValue, hours: hours, limit: limit)
        return try await TaskMonitor.current(db, context).history(filter, context.now)
    }
}

/// Lists the schedule with last and next runs.
struct CeleryBeatSchedule: Query {
    static let name = "celery_beat_schedule"
    static let title = "Task schedule"
    static let summary =
        "What runs by the clock: cadence in words, last run and how it ended, next run, missed runs."
    static let route = Route.get("celery/schedule")

    typealias Output = ScheduleReport

    func run(_ db: Reader, _ context: Context) async throws -> ScheduleReport {
        try await TaskMonitor.current(db, context).schedule(context.now)
    }
}
