import Kernel
import Storage

/// What referrals earn at present.
struct ShowReferralConfig: Query {
    static let name = "referral_config"
    static let summary = "What referrals earn at present."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("admin/referrals/config")

    typealias Output = ReferralConfig

    func run(_ db: Reader, _ context: Context) async throws -> ReferralConfig {
        try await db.read { try ReferralConfig.current($0) }
    }
}

/// Counts and sums by state.
struct SummarizeReferrals: Query {
    static let name = "referral_summary"
    static let summary = "Referrals, rewards and payouts: counts and sums of the newest 10,000 of each."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("admin/referrals/summary")

    struct Output: Codable, Sendable {
        var attributions24h: Int
        var rewards: [String: ReferralCounts.Sum]
        var payouts: [String: ReferralCounts.Sum]
        /// Counts end here.
        var countLimit: Int

        // `_24h` is no snake case of a property's name.
        enum CodingKeys: String, CodingKey {
            case attributions24h = "attributions_24h"
            case rewards, payouts
            case countLimit = "count_limit"
        }
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let start = ULID.first(at: context.now - .seconds(86_400))
        return try await db.read { db in
            Output(
                attributions24h: try ReferralCounts.count("referral_attributions", "id >= \(start)", db),
                rewards: Self.named(try ReferralCounts.rewards(db)),
                payouts: Self.named(try ReferralCounts.payouts(db)), countLimit: ReferralCounts.limit)
        }
    }

    private static func named<Key: RawRepresentable<String>>(_ sums: [Key: ReferralCounts.Sum])
        -> [String: ReferralCounts.Sum]
    {
        Dictionary(sums.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Whether the jobs of referrals keep up.
struct CheckReferrals: Query {
    static let name = "referral_health"
    static let summary = "Rewards and payouts that wait longer than their jobs should let them."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("admin/referrals/health")
    /// The unlocker comes every fifteen minutes.
    static let patience = Duration.seconds(1_800)

    struct Output: Codable, Sendable {
        var isHealthy: Bool
        var rewardsOverdue: Int
        var payoutsWaiting: Int
        var payoutsFailed: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let late = context.now - Self.patience
        return try await db.read { db in
            let overdue = try ReferralCounts.count(
                "referral_rewards", "status = 'pending' AND unlock_ts < \(late)", db)
            let waiting = try ReferralCounts.count(
                "instructor_referral_payouts",
                "stripe_transfer_status = 'pending' AND created_at < \(late)", db)
            let failed = try ReferralCounts.count(
                "instructor_referral_payouts", "stripe_transfer_status = 'failed'", db)
            return Output(
                isHealthy: overdue + waiting + failed == 0, rewardsOverdue: overdue, payoutsWaiting: waiting,
                payoutsFailed: failed)
        }
    }
}
