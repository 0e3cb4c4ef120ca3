import JSON

/// What an answer about the task system is worth.
///
/// An outage must not look like silence: an answer whose source did not
/// speak is ``unknown``, its counts are nil, and its `problem` says what to do.
package enum MonitorStatus: String, Codable, Sendable, CaseIterable, SchemaDescribing {
    /// The source answered, and nothing in what it said needs anybody.
    case ok
    /// The source answered in part, or said something that needs somebody: `problem` says what.
    case degraded
    /// The source did not answer. Nothing was measured; no number is given.
    case unknown
}

/// Who was asked about the tasks.
package enum MonitorSource: String, Codable, Sendable, CaseIterable, SchemaDescribing {
    /// The job engine of this platform, from its own tables.
    case embedded
    /// A Celery cluster, through the REST API of its Flower.
    case flower
}
