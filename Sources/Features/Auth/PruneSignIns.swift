import Kernel
import Storage

/// Deletes what can no longer matter to any sign-in, a little at a time. How long what
/// tells of people is kept is ``RetentionRule``'s to say.
struct PruneSignIns: ScheduledJob {
    static let name = "maintenance.prune_sign_ins"
    static let queue = Queue.maintenance
    static let priority = 1
    static let timeout = Duration.seconds(600)
    private static let batch = 2_000
    /// A session that is over can be looked at for so long.
    private static let retention = Duration.seconds(30 * 86_400)

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("prune-sign-ins", cron: "17 * * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        let past = now - Self.retention
        let statements: [(table: SQL, key: SQL, condition: SQL)] = [
            ("rate_windows", "key", "ends_at <= \(now)"),
            (
                "sign_in_failures", "email",
                "last_failed_at <= \(now - SignInFailures.memory) AND COALESCE(locked_until, 0) <= \(now)"
            ),
            ("used_challenges", "jti", "expires_at <= \(now)"),
            ("totp_pending", "user_id", "expires_at <= \(now)"),
            ("phone_codes", "user_id", "expires_at <= \(now)"),
            ("trusted_devices", "id", "expires_at <= \(now)"),
            ("password_reset_tokens", "id", "expires_at <= \(past)"),
            ("refresh_tokens", "token_hash", "expires_at <= \(past)"),
            // A session outlives the last of its tokens, so none refers to it.
            ("user_sessions", "id", "expires_at <= \(past)"),
        ]
        var count = 0
        for (table, key, condition) in statements {
            count += try await attempt.database.runInBatches(
                of: Self.batch,
                """
                DELETE FROM \(table) WHERE \(key) IN (
                    SELECT \(key) FROM \(table) WHERE \(condition) LIMIT \(Self.batch))
                """)
        }
        attempt.summarize("\(count) rows deleted")
        try await attempt.settle { _, _ in .completed }
    }
}
