import JSON
package import Storage

/// Something done later, outside the caller's transaction.
///
/// A job is enqueued in the transaction that needs it and runs at least once;
/// what it does to the database it does in ``JobAttempt/settle(_:)``, which is
/// one transaction with the job's own outcome and therefore happens once. Its
/// stored name never changes; its payload tolerates unknown fields.
package protocol Job: Codable, Sendable {
    /// The stored name, `noun.verb`. Never derived from the type.
    static var name: String { get }
    static var queue: Queue { get }
    /// 0 to 10; a queue's most urgent jobs run first.
    static var priority: Int { get }
    static var retry: RetryPolicy { get }
    /// How long one attempt may take before it is cancelled.
    static var timeout: Duration { get }
    /// Whether an attempt does nothing that outlives its transaction: no call to
    /// the outside, and nothing before ``JobAttempt/settle(_:)``. Then neither its
    /// claim nor its outcome waits for the disk, because what a loss of power
    /// undoes is done again (`Docs/decisions/0007-commits-that-do-not-wait.md`).
    static var isDatabaseOnly: Bool { get }
    /// What several attempts that were claimed together do in one transaction, and
    /// how each ends; nil when every attempt runs alone. When it throws nothing
    /// is kept and each of them runs by itself.
    static var together: JobGroup<Self>? { get }
    /// Whether the caller of a command that enqueues one waits for it, for a bounded time,
    /// to see what came of it (``Command/afterJobs(_:_:_:)``).
    static var isAwaited: Bool { get }
    /// Counts up when an older reader could not understand the payload; adding a
    /// field needs no new number. A process that knows only older ones leaves such
    /// a job to others.
    static var version: Int { get }
    /// Names under which this job was stored earlier; what waits under them runs.
    static var formerNames: [String] { get }
    /// While a job with this key is waiting or running, another is not enqueued.
    var uniqueKey: String? { get }
    /// For how long after it was enqueued that holds even if it has ended.
    static var uniqueFor: Duration? { get }
    /// Runs in the transaction that claims these jobs.
    static func claimed(_ jobs: [Self], _ tx: Transaction, _ context: Context) throws
    func run(_ attempt: JobAttempt) async throws
    /// Runs in the transaction that gives the job up.
    func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws
}

/// The work of several attempts: in their order, an outcome for each.
package typealias JobGroup<J: Job> =
    @Sendable (_ attempts: [(job: J, attempt: JobAttempt)], _ tx: Transaction) throws -> [JobOutcome]

extension Job {
    package static var queue: Queue { .standard }
    package static var priority: Int { 5 }
    package static var version: Int { 1 }
    package static var formerNames: [String] { [] }
    package static var uniqueFor: Duration? { nil }
    package static var isDatabaseOnly: Bool { false }
    package static var together: JobGroup<Self>? { nil }
    package static var isAwaited: Bool { false }
    package static var retry: RetryPolicy { RetryPolicy() }
    package static var timeout: Duration { .seconds(60) }
    package var uniqueKey: String? { nil }
    package static func claimed(_ jobs: [Self], _ tx: Transaction, _ context: Context) throws {}
    package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {}
}

/// How an attempt ended.
package enum JobOutcome: Sendable, Hashable {
    case completed
    /// Try again; after the last attempt the job is discarded.
    case retry(error: String)
    /// Give up now.
    case discard(error: String)
    /// Not yet: run again later without using up an attempt.
    case snooze(Duration)
    /// Somebody stopped it.
    case cancelled(reason: String)

    /// Whether it means that the job runs again, attempts permitting.
    var isAgain: Bool {
        switch self {
        case .retry, .snooze: true
        case .completed, .discard, .cancelled: false
        }
    }

    /// The same with its text as it may be stored.
    var recordable: JobOutcome {
        switch self {
        case .completed, .snooze: self
        case .retry(let error): .retry(error: TaskExecution.recordable(error: error))
        case .discard(let error): .discard(error: TaskExecution.recordable(error: error))
        case .cancelled(let reason): .cancelled(reason: TaskExecution.recordable(error: reason))
        }
    }
}

/// Capped exponential back-off with full jitter on its upper half, or a list of
/// waits.
package struct RetryPolicy: Sendable, Hashable {
    package var maximumAttempts: Int
    package var base: Duration
    package var cap: Duration
    /// The wait after each attempt but the last, instead of the back-off.
    package var waits: [Duration] = []

    package init(maximumAttempts: Int = 5, base: Duration = .seconds(30), cap: Duration = .seconds(1_800)) {
        self.maximumAttempts = maximumAttempts
        self.base = base
        self.cap = cap
    }

    /// One attempt more than there are waits.
    package init(waits: [Duration]) {
        self.init(maximumAttempts: waits.count + 1)
        self.waits = waits
    }

    /// The wait after attempt number `attempt` (1…): between half of and the
    /// whole of `min(cap, base · 2^(attempt−1))`.
    package func delay(after attempt: Int, random: Double = .random(in: 0..<1)) -> Duration {
        if !waits.isEmpty { return waits[min(max(attempt, 1), waits.count) - 1] }
        let exponent = min(max(attempt - 1, 0), 30)
        let full = min(cap, base * (1 << exponent))
        return full * (0.5 + random / 2)
    }
}

/// One row of `jobs`.
package struct JobRecord: Sendable, RowDecodable {
    package var id: ULID
    package var name: String
    package var queue: String
    package var priority: Int
    package var payload: String
    package var payloadVersion: Int
    package var attempt: Int
    package var maximumAttempts: Int
    package var createdAt: Instant
    /// When the present attempt began.
    package var startedAt: Instant?
    package var worker: String?
    package var requestID: String?
    package var traceID: String?

    package static let columns: SQL = """
        id, name, queue, priority, payload, payload_version, attempt, max_attempts, created_at, started_at, \
        worker, request_id, trace_id
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        name = try row.get(at: 1)
        queue = try row.get(at: 2)
        priority = try row.get(at: 3)
        payload = try row.get(at: 4)
        payloadVersion = try row.get(at: 5)
        attempt = try row.get(at: 6)
        maximumAttempts = try row.get(at: 7)
        createdAt = try row.get(at: 8)
        startedAt = try row.get(at: 9)
        worker = try row.get(at: 10)
        requestID = try row.get(at: 11)
        traceID = try row.get(at: 12)
    }
}

extension Transaction {
    /// Adds `job` to the queue in this transaction: it exists if and only if
    /// the transaction commits. Workers wake up at once.
    ///
    /// - Returns: whether it was added; false when its unique key is taken.
    @discardableResult
    package func enqueue<J: Job>(_ job: J, at runAt: Instant? = nil, uniqueKey: String? = nil) throws -> Bool
    {
        let unit = try unit
        let context = unit.context
        guard context.environment.isRegistered(J.name) else {
            throw Failure(.internal, "The job '\(J.name)' is enqueued, but no feature lists it.")
        }
        let key = uniqueKey ?? job.uniqueKey
        if let key, let window = J.uniqueFor, try !JobQueue.open(key, window, context.now, self) {
            return false
        }
        let insert = try JobQueue.insert([(job, context)], at: runAt, uniqueKey: uniqueKey)[0]
        let id: ULID? = try value(insert + " RETURNING id")
        let added = id != nil
        // Its predecessor outlived the window; that is no reason to open another.
        if !added, let key, J.uniqueFor != nil { try JobQueue.close(key, context.now, self) }
        if let id {
            if J.isAwaited, runAt == nil { unit.await(id) }
            unit.note(
                EffectPreview(
                    kind: "job", action: J.name, resourceType: "job", resourceID: nil, changes: nil))
            try notify(JobQueue.channel, "")
        }
        return added
    }
}
