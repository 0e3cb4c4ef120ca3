import Kernel
package import Storage

/// The latest row of `referral_config`: what referrals earn (domain specification §3.5).
package struct ReferralConfig: Sendable, Codable, RowDecodable {
    package var version: Int
    package var studentAmountCents: Int
    package var instructorAmountCents: Int
    /// Instead of ``instructorAmountCents`` while founding places are left.
    package var instructorFoundingBonusCents: Int
    /// Smaller orders earn nothing.
    package var minBasketCents: Int
    package var holdDays: Int
    package var expiryMonths: Int
    /// How many students one person earns for.
    package var studentGlobalCap: Int

    package init(row: Row) throws {
        version = try row.get(at: 0)
        studentAmountCents = try row.get(at: 1)
        instructorAmountCents = try row.get(at: 2)
        instructorFoundingBonusCents = try row.get(at: 3)
        minBasketCents = try row.get(at: 4)
        holdDays = try row.get(at: 5)
        expiryMonths = try row.get(at: 6)
        studentGlobalCap = try row.get(at: 7)
    }

    package static func current(_ db: Snapshot) throws -> ReferralConfig {
        let found: ReferralConfig? = try db.one(
            """
            SELECT version, student_amount_cents, instructor_amount_cents, instructor_founding_bonus_cents, \
            min_basket_cents, hold_days, expiry_months, student_global_cap FROM referral_config
            ORDER BY version DESC LIMIT 1
            """)
        guard let found else { throw Failure(.internal, "The rules of referrals are missing.") }
        return found
    }

    var hold: Duration { .seconds(holdDays * 86_400) }
    /// A month is thirty days.
    var lifetime: Duration { .seconds(expiryMonths * 30 * 86_400) }
}
