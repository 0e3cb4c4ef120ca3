package import Storage

/// Which tasks `celery_task_history` shows.
package struct TaskHistoryFilter: Codable, Sendable, Hashable {
    /// The full name of a task; nil for all.
    package var taskName: String?
    /// A state such as `SUCCESS`; nil for all.
    package var state: String?
    /// How many hours back from now.
    package var hours: Int
    package var limit: Int

    package init(taskName: String? = nil, state: String? = nil, hours: Int = 1, limit: Int = 100) {
        (self.taskName, self.state, self.hours, self.limit) = (taskName, state, hours, limit)
    }
}

/// The answer of `celery_task_history`.
package struct TaskHistoryReport: Codable, Sendable {
    package struct Row: Codable, Sendable {
        package var taskID: String
        package var taskName: String
        /// As the source calls it: `PENDING` `RECEIVED` `STARTED` `SUCCESS` `FAILURE` `RETRY` `REVOKED`.
        package var state: String
        package var receivedAt: Instant?
        package var startedAt: Instant?
        package var succeededAt: Instant?
        /// How long it ran; nil while it has not ended.
        package var runtimeSeconds: Double?
        package var result: String?
        package var exception: String?
        package var retries: Int
        package var failedAt: Instant?
        package var worker: String?
        package var queue: String?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var tasks: [Row]
    package var count: Int?
    /// What is not shown, and how to see it; nil when the list is complete.
    package var leftOut: String?
    package var filtersApplied: TaskHistoryFilter
    /// Where the window begins; it ends at `checkedAt`.
    package var windowStart: Instant
    /// Since when the source has watched; before that it knows of nothing.
    package var observedSince: Instant?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`: `found` newest first, shown as far as ``RowBudget`` lets it.
    /// - Parameter start: where the source's window began, if not exactly where the filter says.
    static func observed(
        _ found: [Row], filter: TaskHistoryFilter, start: Instant? = nil, source: MonitorSource,
        since: Instant? = nil, problem: String? = nil, now: Instant
    ) throws -> TaskHistoryReport {
        let rows = try RowBudget.fit(found, limit: filter.limit)
        return TaskHistoryReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, tasks: rows.shown,
            count: rows.shown.count, leftOut: rows.leftOut, filtersApplied: filter,
            windowStart: start ?? filter.start(now), observedSince: since, observedAt: now, checkedAt: now)
    }

    /// The source did not answer.
    static func unknown(
        _ problem: String, filter: TaskHistoryFilter, source: MonitorSource, now: Instant
    ) -> TaskHistoryReport {
        TaskHistoryReport(
            status: .unknown, problem: problem, source: source, tasks: [], filtersApplied: filter,
            windowStart: filter.start(now), checkedAt: now)
    }
}

extension TaskHistoryFilter {
    /// Where the window begins that ends at `now`.
    package func start(_ now: Instant) -> Instant { now - .seconds(hours * 3_600) }
}
