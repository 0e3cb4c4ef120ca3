package import Storage

/// The answer of `celery_queue_depth`.
package struct QueueReport: Codable, Sendable {
    package struct Queue: Codable, Sendable {
        package var name: String
        /// What waits; nil when it was not counted.
        package var depth: Int?
        /// Workers online that take from it; nil when that is not known.
        package var consumers: Int?
        /// How long the longest waiting has been due.
        package var oldestAgeSeconds: Double?
        /// Tasks taken from it and not yet done.
        package var running: Int?
        /// Tasks finished per minute lately.
        package var throughputPerMinute: Double?
        /// Whether somebody has paused it.
        package var isPaused: Bool?
        /// True when there are more than `depth`, which were not counted.
        package var isAtLeast: Bool?
    }

    package var status: MonitorStatus
    package var problem: String?
    package var source: MonitorSource
    package var queues: [Queue]
    /// The sum of the depths; nil as soon as one of them is.
    package var totalDepth: Int?
    package var observedAt: Instant?
    package var checkedAt: Instant

    /// What was observed at `now`, with the sum; degraded by `problem`.
    static func observed(
        _ queues: [Queue], source: MonitorSource, problem: String? = nil, now: Instant
    ) -> QueueReport {
        let depths = queues.compactMap(\.depth)
        return QueueReport(
            status: problem == nil ? .ok : .degraded, problem: problem, source: source, queues: queues,
            totalDepth: depths.count == queues.count ? depths.reduce(0, +) : nil, observedAt: now,
            checkedAt: now)
    }

    /// The source did not answer.
    static func unknown(_ problem: String, source: MonitorSource, now: Instant) -> QueueReport {
        QueueReport(status: .unknown, problem: problem, source: source, queues: [], checkedAt: now)
    }
}
