package import Storage

/// The answer of `celery_beat_schedule`.
package struct ScheduleReport: Codable, Sendable {
    package struct Entry: Codable, Sendable {
        package var name: String
        package var task: String
        /// In words, e.g. `every 5 minutes` or `daily at 03:00 UTC`.
        package var schedule: String
        package var lastRun: Instant?
        package var nextRun: Instant?
        package var enabled: Bool
        package var queue: String?
        /// How the last run ended.
        package var lastStatus: String?
        /// Slots that passed without a run.
        package var missedRuns: Int?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var tasks: [Entry]
    package var count: Int?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`; degraded by `problem`.
    static func observed(
        _ entries: [Entry], source: MonitorSource, problem: String? = nil, now: Instant
    ) -> ScheduleReport {
        ScheduleReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, tasks: entries,
            count: entries.count, observedAt: now, checkedAt: now)
    }

    /// The source does not know or did not answer.
    static func unknown(_ problem: String, source: MonitorSource, now: Instant) -> ScheduleReport {
        ScheduleReport(status: .unknown, problem: problem, source: source, tasks: [], checkedAt: now)
    }
}
