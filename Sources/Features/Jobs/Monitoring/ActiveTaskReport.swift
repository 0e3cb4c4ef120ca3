package import Storage

/// The answer of `celery_active_tasks`.
package struct ActiveTaskReport: Codable, Sendable {
    package struct Row: Codable, Sendable {
        package var taskID: String
        package var taskName: String
        package var worker: String
        package var startedAt: Instant?
        package var args: String?
        package var kwargs: String?
        package var queue: String?
        package var runningSeconds: Double?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var tasks: [Row]
    package var count: Int?
    /// Started on a worker that is gone: nobody runs these now.
    package var orphanedTasks: [Row]
    package var leftOut: String?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`, shown as far as ``RowBudget`` lets it.
    static func observed(
        _ found: [Row], orphaned: [Row] = [], source: MonitorSource, problem: String? = nil, now: Instant
    ) throws -> ActiveTaskReport {
        let rows = try RowBudget.fit(found, limit: rowLimit)
        let lost = try RowBudget.fit(orphaned, limit: orphanLimit)
        return ActiveTaskReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, tasks: rows.shown,
            count: found.count, orphanedTasks: lost.shown, leftOut: rows.leftOut, observedAt: now,
            checkedAt: now)
    }

    /// The source did not answer.
    static func unknown(_ problem: String, source: MonitorSource, now: Instant) -> ActiveTaskReport {
        ActiveTaskReport(
            status: .unknown, problem: problem, source: source, tasks: [], orphanedTasks: [], checkedAt: now)
    }

    private static let rowLimit = 200
    private static let orphanLimit = 20
}
