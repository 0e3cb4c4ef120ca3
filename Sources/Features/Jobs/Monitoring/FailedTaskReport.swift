package import Storage

/// The answer of `celery_failed_tasks`.
package struct FailedTaskReport: Codable, Sendable {
    package struct Row: Codable, Sendable {
        package var taskID: String
        package var taskName: String
        package var queue: String?
        /// When it failed, not when it was received.
        package var failedAt: Instant?
        package var exception: String?
        package var traceback: String?
        package var taskArgs: String?
        package var taskKwargs: String?
        package var worker: String?
        /// Attempts before the one that failed.
        package var retries: Int?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var failedTasks: [Row]
    package var count: Int?
    /// What is not shown, and how to see it; nil when the list is complete.
    package var leftOut: String?
    /// Since when the source has watched; before that it knows of nothing.
    package var observedSince: Instant?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`: `found` newest first, shown as far as ``RowBudget`` lets it.
    static func observed(
        _ found: [Row], limit: Int, source: MonitorSource, since: Instant? = nil, problem: String? = nil,
        now: Instant
    ) throws -> FailedTaskReport {
        let rows = try RowBudget.fit(found, limit: limit)
        return FailedTaskReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source,
            failedTasks: rows.shown, count: rows.shown.count, leftOut: rows.leftOut, observedSince: since,
            observedAt: now, checkedAt: now)
    }

    /// The source did not answer.
    static func unknown(_ problem: String, source: MonitorSource, now: Instant) -> FailedTaskReport {
        FailedTaskReport(
            status: .unknown, problem: problem, source: source, failedTasks: [], checkedAt: now)
    }
}
