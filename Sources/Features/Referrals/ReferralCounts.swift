import Kernel
import Storage

/// Counts over the tables of referrals; none goes beyond ``limit``.
enum ReferralCounts {
    static let limit = 10_000

    struct Sum: Codable, Sendable, Hashable {
        var count: Int
        var cents: Int
    }

    static func count(_ table: SQL, _ condition: SQL, _ db: Snapshot) throws -> Int {
        try db.value(
            "SELECT COUNT(*) FROM (SELECT 1 FROM \(table) WHERE \(condition) LIMIT \(limit)) AS found") ?? 0
    }

    static func referred(by user: ULID, _ db: Snapshot) throws -> Int {
        try count("referral_attributions", "referrer_user_id = \(user)", db)
    }

    static func payouts(of user: ULID, _ db: Snapshot) throws -> [PayoutStatus: Sum] {
        try sums(
            """
            SELECT id, stripe_transfer_status AS status, amount_cents FROM instructor_referral_payouts
            WHERE referrer_user_id = \(user)
            """, db)
    }

    static func payouts(_ db: Snapshot) throws -> [PayoutStatus: Sum] {
        try sums(
            "SELECT id, stripe_transfer_status AS status, amount_cents FROM instructor_referral_payouts", db)
    }

    static func rewards(_ db: Snapshot) throws -> [RewardStatus: Sum] {
        try sums("SELECT id, status, amount_cents FROM referral_rewards", db)
    }

    private static func sums<Key: SQLDecodable & Hashable>(_ rows: SQL, _ db: Snapshot) throws -> [Key: Sum] {
        let found = try db.rows(
            """
            SELECT status, COUNT(*), CAST(SUM(amount_cents) AS BIGINT)
            FROM (\(rows) ORDER BY id DESC LIMIT \(limit)) AS found GROUP BY status
            """)
        var sums: [Key: Sum] = [:]
        for row in found {
            sums[try row.get(at: 0)] = Sum(count: try row.get(at: 1), cents: try row.get(at: 2))
        }
        return sums
    }
}
