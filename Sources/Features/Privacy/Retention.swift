import Kernel
import Storage

/// What is not kept for ever, and for how long (domain specification §9.3).
struct RetentionRule: Sendable {
    var name: String
    var table: StaticString
    /// The table's key, by which batches are taken.
    var key: StaticString
    /// Whether a row is older than `cutoff` and done with.
    var condition: @Sendable (_ cutoff: Instant) -> SQL
    var age: Duration

    private static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }

    /// Rules of `privacy.apply_retention_policies`.
    static let policies: [RetentionRule] = [
        RetentionRule(
            name: "search_events", table: "search_events", key: "id", condition: { "searched_at < \($0)" },
            age: days(365)),
        RetentionRule(
            name: "guest_sessions", table: "guest_sessions", key: "id", condition: { "expires_at < \($0)" },
            age: days(30)),
        RetentionRule(
            name: "guest_searches", table: "search_history", key: "id",
            condition: { "guest_session_id IS NOT NULL AND last_searched_at < \($0)" }, age: days(90)),
        RetentionRule(
            name: "search_history", table: "search_history", key: "id",
            condition: { "deleted_at IS NOT NULL AND deleted_at < \($0)" }, age: days(90)),
        RetentionRule(
            name: "mailbox", table: "mailbox_messages", key: "id", condition: { "created_at < \($0)" },
            age: days(90)),
    ]

    /// Rules of `retention.purge_soft_deleted`.
    static let softDeleted: [RetentionRule] = [
        RetentionRule(
            name: "addresses", table: "user_addresses", key: "id",
            condition: { "NOT is_active AND updated_at < \($0)" }, age: days(30))
    ]

    static let batch = 1_000

    /// How many rows it would delete; counted up to a bound.
    func count(_ now: Instant, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM \(raw: "\(table)") WHERE \(condition(now - age)) LIMIT 100000) AS r
            """) ?? 0
    }

    /// Deletes in batches, each a transaction of its own, so that writers are not held up.
    func apply(_ database: any Database, now: Instant) async throws -> Int {
        try await database.runInBatches(
            of: Self.batch,
            """
            DELETE FROM \(raw: "\(table)") WHERE \(raw: "\(key)") IN (
                SELECT \(raw: "\(key)") FROM \(raw: "\(table)") WHERE \(condition(now - age)) LIMIT \(Self.batch))
            """)
    }

    /// All rules, one after the other: what each deleted.
    static func apply(_ rules: [RetentionRule], _ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        var counts: [String] = []
        for rule in rules {
            counts.append("\(rule.name) \(try await rule.apply(attempt.database, now: now))")
        }
        let summary = counts.joined(separator: ", ")
        attempt.summarize(summary)
        try await attempt.settle { tx, _ in
            try tx.audit(
                "privacy.retention", Subject("privacy", nil), description: "Retention applied: \(summary)")
            return .completed
        }
    }
}

/// Deletes what is older than its rule, every night.
struct ApplyRetentionPolicies: ScheduledJob {
    static let name = "privacy.apply_retention_policies"
    static let queue = Queue.privacy
    static let priority = 2
    static let timeout = Duration.seconds(1_800)
    var uniqueKey: String? { Self.name }

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("apply-data-retention-policies", cron: "0 2 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        try await RetentionRule.apply(RetentionRule.policies, attempt)
    }
}

/// Deletes for good what was deleted a month ago.
struct PurgeSoftDeleted: ScheduledJob {
    static let name = "retention.purge_soft_deleted"
    static let queue = Queue.maintenance
    static let priority = 2
    static let timeout = Duration.seconds(1_800)

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("nightly-retention-purge", cron: configuration.retentionPurgeCron)]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        try await RetentionRule.apply(RetentionRule.softDeleted, attempt)
    }
}

/// Applies the rules now, or says what they would delete.
struct ApplyRetention: Command {
    static let name = "privacy_retention_apply"
    static let summary = "Apply the retention rules now, or count what they would delete."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("privacy/retention/apply")
    static let action = "privacy.retention_apply"

    @Input("Only count.") var dryRun = true
    var isDryRun: Bool { false }

    struct Output: Codable, Sendable {
        /// `queued`, or `counted` for a dry run.
        var status: String
        /// Rule → rows that it would delete; counted up to 100,000 each.
        var wouldDelete: [String: Int]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        var counts: [String: Int] = [:]
        for rule in RetentionRule.policies + RetentionRule.softDeleted {
            counts[rule.name] = try rule.count(context.now, tx)
        }
        if !dryRun {
            try tx.enqueue(ApplyRetentionPolicies())
            try tx.enqueue(PurgeSoftDeleted())
        }
        return Output(status: dryRun ? "counted" : "queued", wouldDelete: counts)
    }
}
