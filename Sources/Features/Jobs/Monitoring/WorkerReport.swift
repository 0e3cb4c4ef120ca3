import JSON
package import Storage

/// The answer of `celery_worker_status`.
package struct WorkerReport: Codable, Sendable {
    /// Whether a worker is there to take tasks.
    package enum Liveness: String, Codable, Sendable, CaseIterable, SchemaDescribing {
        case online, offline
    }

    package struct Worker: Codable, Sendable {
        package var hostname: String
        package var status: Liveness
        /// Tasks it runs now; nil when it did not say.
        package var activeTasks: Int?
        /// Tasks it has taken since it started; nil when it never said.
        package var processedTotal: Int?
        /// Tasks it may run at once.
        package var concurrency: Int?
        package var queues: [String]
        /// When the figures were taken.
        package var observedAt: Instant?
    }

    /// Counts over all workers; nil when nobody could be counted.
    package struct Summary: Codable, Sendable {
        package var totalWorkers: Int?
        package var onlineWorkers: Int?
        package var offlineWorkers: Int?
        /// nil as soon as one worker that is online did not say.
        package var totalActiveTasks: Int?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var workers: [Worker]
    package var summary: Summary
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`, with the counts; degraded by `problem`.
    static func observed(
        _ workers: [Worker], source: MonitorSource, problem: String? = nil, now: Instant
    ) -> WorkerReport {
        let online = workers.filter { $0.status == .online }
        let active = online.compactMap(\.activeTasks)
        let summary = Summary(
            totalWorkers: workers.count, onlineWorkers: online.count,
            offlineWorkers: workers.count - online.count,
            totalActiveTasks: active.count == online.count ? active.reduce(0, +) : nil)
        return WorkerReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, workers: workers,
            summary: summary, observedAt: now, checkedAt: now)
    }

    /// The source did not answer.
    static func unknown(_ problem: String, source: MonitorSource, now: Instant) -> WorkerReport {
        WorkerReport(
            status: .unknown, problem: problem, source: source, workers: [], summary: Summary(),
            checkedAt: now)
    }
}
