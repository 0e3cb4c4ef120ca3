package import Storage

/// The port to a task system: one question each, whoever answers.
///
/// Every closure is given the call's time, which it writes as `checkedAt`. A
/// source that does not answer is no error: the answer then has the status
/// ``MonitorStatus/unknown``, a `problem` with its remedy, empty lists and nil
/// counts. Thrown are only cancellation and, as a ``Kernel/Failure``, arguments that
/// the source cannot be asked with.
///
/// Text in answers that came from outside is cleaned, without credentials, and
/// cut as ``TaskText`` says.
package struct TaskMonitor: Sendable {
    /// Who answers.
    package var source: MonitorSource
    /// The workers and their load.
    package var workers: @Sendable (_ now: Instant) async throws -> WorkerReport
    /// What waits, by queue.
    package var queues: @Sendable (_ now: Instant) async throws -> QueueReport
    /// The latest failures, newest first.
    package var failedTasks: @Sendable (_ limit: Int, _ now: Instant) async throws -> FailedTaskReport
    /// What runs at this moment, longest first.
    package var activeTasks: @Sendable (_ now: Instant) async throws -> ActiveTaskReport
    /// The tasks of a window, newest first: those that ended in it and those that run or,
    /// from a source that knows of no ends, those received in it.
    package var history:
        @Sendable (_ filter: TaskHistoryFilter, _ now: Instant) async throws -> TaskHistoryReport
    /// What is scheduled, with last and next runs where the source knows them.
    package var schedule: @Sendable (_ now: Instant) async throws -> ScheduleReport
    /// The newest run of each task named in full, in the order asked.
    package var lastRuns: @Sendable (_ taskNames: [String], _ now: Instant) async throws -> LastRunReport

    package init(
        source: MonitorSource,
        workers: @escaping @Sendable (Instant) async throws -> WorkerReport,
        queues: @escaping @Sendable (Instant) async throws -> QueueReport,
        failedTasks: @escaping @Sendable (Int, Instant) async throws -> FailedTaskReport,
        activeTasks: @escaping @Sendable (Instant) async throws -> ActiveTaskReport,
        history: @escaping @Sendable (TaskHistoryFilter, Instant) async throws -> TaskHistoryReport,
        schedule: @escaping @Sendable (Instant) async throws -> ScheduleReport,
        lastRuns: @escaping @Sendable ([String], Instant) async throws -> LastRunReport
    ) {
        self.source = source
        self.workers = workers
        self.queues = queues
        self.failedTasks = failedTasks
        self.activeTasks = activeTasks
        self.history = history
        self.schedule = schedule
        self.lastRuns = lastRuns
    }
}
