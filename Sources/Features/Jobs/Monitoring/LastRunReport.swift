package import Storage

/// When tasks last ran, for `celery_payment_health`.
package struct LastRunReport: Codable, Sendable {
    package struct Run: Codable, Sendable {
        package var taskName: String
        /// When it last began, or was received if it has not; nil when the source knows of no run.
        package var lastRunAt: Instant?
        /// How that run stands, e.g. `SUCCESS`; nil when the source knows of no run.
        package var status: String?

        package init(taskName: String, lastRunAt: Instant? = nil, status: String? = nil) {
            (self.taskName, self.lastRunAt, self.status) = (taskName, lastRunAt, status)
        }
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    /// One per name asked for, in that order.
    package var runs: [Run]
    /// Since when the source has watched; before that it knows of no run.
    package var observedSince: Instant?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`; degraded by `problem`.
    static func observed(
        _ runs: [Run], source: MonitorSource, since: Instant? = nil, problem: String? = nil, now: Instant
    ) -> LastRunReport {
        LastRunReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, runs: runs,
            observedSince: since, observedAt: now, checkedAt: now)
    }

    /// The source did not answer: every name, and nothing about it.
    static func unknown(
        _ problem: String, names: [String], source: MonitorSource, now: Instant
    ) -> LastRunReport {
        LastRunReport(
            status: .unknown, problem: problem, source: source, runs: names.map { Run(taskName: $0) },
            checkedAt: now)
    }
}
