import JSON
package import Storage

/// One row of `task_executions`: one attempt of one job, written when it ended.
package struct TaskExecution: Sendable, RowDecodable {
    /// How an attempt ended.
    package enum Outcome: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
        case completed
        /// It failed and will be tried again.
        case retryable
        /// It was stopped by somebody.
        case cancelled
        /// It failed for good.
        case discarded
        /// It asked to run later, which is no failure.
        case snoozed
    }

    /// How long rows are kept.
    package static let retention = Duration.seconds(90 * 86_400)
    /// Attempts by name, outcome, duration and queue, at the end of each; see ``DurationBucket``.
    package static let tally = Tally("tasks")
    private static let argumentLimit = 1_000
    private static let textLimit = 2_000

    /// Stamped with the end, so that a window of ids is what ended in it.
    package var id: ULID
    package var jobID: ULID
    package var taskName: String
    package var queue: String
    package var worker: String?
    package var attempt: Int
    package var outcome: Outcome
    /// Redacted JSON text.
    package var arguments: String?
    package var receivedAt: Instant
    package var startedAt: Instant
    package var finishedAt: Instant
    package var durationMS: Int
    package var errorType: String?
    package var errorMessage: String?
    package var resultSummary: String?
    package var requestID: String?
    package var traceID: String?
    package var deploySHA: String?

    package static let columns: SQL = """
        id, job_id, task_name, queue, worker, attempt, outcome, arguments, received_at, started_at, finished_at, \
        duration_ms, error_type, error_message, result_summary, request_id, trace_id, deploy_sha
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        jobID = try row.get(at: 1)
        taskName = try row.get(at: 2)
        queue = try row.get(at: 3)
        worker = try row.get(at: 4)
        attempt = try row.get(at: 5)
        outcome = try row.get(at: 6)
        arguments = try row.get(at: 7)
        receivedAt = try row.get(at: 8)
        startedAt = try row.get(at: 9)
        finishedAt = try row.get(at: 10)
        durationMS = try row.get(at: 11)
        errorType = try row.get(at: 12)
        errorMessage = try row.get(at: 13)
        resultSummary = try row.get(at: 14)
        requestID = try row.get(at: 15)
        traceID = try row.get(at: 16)
        deploySHA = try row.get(at: 17)
    }

    /// An attempt that ends now.
    init(
        _ job: JobRecord, _ outcome: Outcome, error: String? = nil, errorType: String? = nil,
        summary: String? = nil, _ environment: Environment
    ) {
        let now = environment.now()
        startedAt = min(job.startedAt ?? now, now)
        id = environment.ids.stamped(at: now)
        jobID = job.id
        taskName = job.name
        queue = job.queue
        worker = job.worker
        attempt = job.attempt
        self.outcome = outcome
        arguments = Self.recordable(job.payload)
        receivedAt = job.createdAt
        finishedAt = now
        durationMS = Int((now - startedAt) / .milliseconds(1))
        self.errorType = errorType.map { Self.cut($0, 200) }
        errorMessage = error.map(Self.recordable(error:))
        resultSummary = summary.map { Self.cut($0, 500) }
        requestID = job.requestID
        traceID = job.traceID
        deploySHA = environment.configuration.gitSHA
    }

    /// A payload as it may be kept and shown: redacted by its keys, and bounded; nil for none.
    package static func recordable(_ payload: String) -> String? {
        guard payload != "{}" else { return nil }
        guard payload.utf8.count <= argumentLimit * 4, let value = try? JSONValue(parsing: payload) else {
            return "too large to record"
        }
        return cut(Redaction.auditChanges.redacted(value).canonicalText, argumentLimit)
    }

    /// An error as it is kept anywhere: redacted, bounded, and without the U+0000
    /// that PostgreSQL refuses. Cleaning it again changes nothing.
    static func recordable(error: String) -> String {
        // What is cut off is not searched; an error may quote a whole answer.
        let start = cut(error, textLimit * 4)
        return cut(Redaction.auditChanges.redacted(text: start), textLimit)
    }

    /// At most `limit` bytes: one character may have any number of them.
    private static func cut(_ text: String, _ limit: Int) -> String {
        let clean = text.utf8.contains(0) ? String(text.unicodeScalars.filter { $0 != "\0" }) : text
        guard clean.utf8.count > limit else { return clean }
        var end = clean.utf8.index(clean.startIndex, offsetBy: limit)
        // Not inside a code point.
        while clean.utf8[end] & 0xC0 == 0x80 { clean.utf8.formIndex(before: &end) }
        return String(decoding: clean.utf8[..<end], as: UTF8.self)
    }

    /// Writes rows and counts them.
    static func write(_ executions: [TaskExecution], _ tx: Transaction) throws {
        guard !executions.isEmpty else { return }
        var counts = TallyChanges(tally)
        for row in executions {
            counts.add(
                1, at: row.finishedAt,
                [row.taskName, row.outcome.rawValue, DurationBucket(row.durationMS).name, row.queue])
        }
        try tx.runMany(
            SQL.inserts("INSERT INTO task_executions (\(columns)) VALUES", executions.map(\.row))
                + counts.statements)
    }

    private var row: SQL {
        """
        (\(id), \(jobID), \(taskName), \(queue), \(worker), \(attempt), \(outcome), \(arguments), \
        \(receivedAt), \(startedAt), \(finishedAt), \(durationMS), \(errorType), \(errorMessage), \
        \(resultSummary), \(requestID), \(traceID), \(deploySHA))
        """
    }
}

/// Durations as roll-ups count them: exact below 100 ms, above in fifty steps per
/// doubling, so that the middle of a bucket is within one percent of what it holds.
package struct DurationBucket: Sendable, Hashable, Comparable {
    /// The bucket's smallest duration in milliseconds.
    package let lower: Int
    /// How many milliseconds it holds.
    package let width: Int

    package init(_ milliseconds: Int) {
        var width = 1
        var value = max(0, milliseconds)
        while value >= 100 {
            value /= 2
            width *= 2
        }
        self.width = width
        lower = value * width
    }

    package var name: String { String(lower) }
    /// The middle of what it holds.
    package var middle: Double { Double(lower) + Double(width - 1) / 2 }

    package init?(name: String) {
        guard let value = Int(name) else { return nil }
        self.init(value)
    }

    package static func < (a: DurationBucket, b: DurationBucket) -> Bool { a.lower < b.lower }
}
