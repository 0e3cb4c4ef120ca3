import JSON
import Kernel
import Storage

/// How much is held about people, and how many were forgotten.
struct PrivacyStatistics: Codable, Sendable {
    var activeUsers: Int
    var deletedUsers: Int
    /// In the last 30 days, from the audit log.
    var exports30d: Int
    var deletions30d: Int
    var searchHistoryRows: Int
    var searchEventRows: Int
    /// Rows that the retention rules would delete now.
    var dueForDeletion: [String: Int]

    init(_ db: Snapshot, now: Instant) throws {
        func count(_ sql: SQL) throws -> Int { try db.value("SELECT COUNT(*) FROM \(sql)") ?? 0 }
        let month = ULID.first(at: now - .seconds(30 * 86_400))
        activeUsers = try count("users WHERE is_active AND deleted_at IS NULL")
        deletedUsers = try count("users WHERE deleted_at IS NOT NULL")
        exports30d = try count("audit_logs WHERE action = 'user.data_export' AND id >= \(month)")
        deletions30d = try count(
            "audit_logs WHERE action IN ('user.delete', 'user.anonymize') AND id >= \(month)")
        searchHistoryRows = try count("search_history")
        searchEventRows = try count("search_events")
        dueForDeletion = [:]
        for rule in RetentionRule.policies + RetentionRule.softDeleted {
            dueForDeletion[rule.name] = try rule.count(now, db)
        }
    }
}

/// Shows the statistics.
struct ShowPrivacyStatistics: Query {
    static let name = "privacy_statistics"
    static let summary =
        "How much is held about people, how much is due for deletion, how many were forgotten."
    static let audience = Audience.holders(.accessMonitoring)
    static let route = Route.get("privacy/statistics")
    typealias Output = PrivacyStatistics

    func run(_ db: Reader, _ context: Context) async throws -> PrivacyStatistics {
        let now = context.now
        return try await db.read { try PrivacyStatistics($0, now: now) }
    }
}

/// Keeps the statistics of every week.
struct GeneratePrivacyReport: ScheduledJob {
    static let name = "privacy.generate_privacy_report"
    static let queue = Queue.privacy
    static let priority = 1

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("generate-privacy-report", cron: "0 1 * * 0")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let now = unit.context.environment.now()
            let text = String(decoding: try JSONCoding.encode(PrivacyStatistics(tx, now: now)), as: UTF8.self)
            try tx.run(
                """
                INSERT INTO privacy_reports (id, statistics, created_at)
                VALUES (\(unit.context.newID()), \(text), \(now))
                """)
            return .completed
        }
    }
}

let privacyMigration = Migration("0160_privacy") { _ in
    [
        """
        CREATE TABLE privacy_reports (
            id \(.id) PRIMARY KEY, statistics TEXT NOT NULL, created_at BIGINT NOT NULL)
        """
    ]
}
