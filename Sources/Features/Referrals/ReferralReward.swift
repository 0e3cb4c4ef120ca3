import JSON
package import Kernel
package import Storage

/// The values of `referral_rewards.status`.
package enum RewardStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable,
    SchemaDescribing
{
    /// Held until nobody can ask for their money back.
    case pending
    case unlocked
    case redeemed
    case void
}

/// One row of `referral_rewards`: what a person has for a student whom they brought.
package struct ReferralReward: Sendable, RowDecodable {
    package var id: ULID
    package var referrer: ULID
    package var referred: ULID
    package var amountCents: Int
    package var status: RewardStatus
    package var unlocksAt: Instant
    package var expiresAt: Instant
    package var voidReason: String?

    static let columns: SQL = """
        id, referrer_user_id, referred_user_id, amount_cents, status, unlock_ts, expire_ts, void_reason
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        referrer = try row.get(at: 1)
        referred = try row.get(at: 2)
        amountCents = try row.get(at: 3)
        status = try row.get(at: 4)
        unlocksAt = try row.get(at: 5)
        expiresAt = try row.get(at: 6)
        voidReason = try row.get(at: 7)
    }

    package var subject: Subject { Subject("referral_reward", id.description) }

    /// Of one person, the newest first.
    package static func list(of referrer: ULID, limit: Int, _ db: Snapshot) throws -> [ReferralReward] {
        try db.all(
            """
            SELECT \(columns) FROM referral_rewards WHERE referrer_user_id = \(referrer)
            ORDER BY id DESC LIMIT \(limit)
            """)
    }

    /// Called when a student completed a lesson: at the first, a pending reward for whoever
    /// brought them. Small orders earn nothing, and one person earns for so many
    /// students at most. Repeating it changes nothing.
    ///
    /// - Returns: the reward's id; nil when there is none.
    @discardableResult
    package static func firstLessonCompleted(
        student: ULID, booking: ULID, basketCents: Int, _ tx: Transaction, _ context: Context
    ) throws -> ULID? {
        let rules = try ReferralConfig.current(tx)
        guard let attribution = try ReferralAttribution.of(referred: student, tx),
            basketCents >= rules.minBasketCents,
            try !Booking.completedAnother(than: booking, of: "student_id = \(student)", tx)
        else { return nil }
        let id = context.newID()
        let unlock = context.now + rules.hold
        let added = try tx.run(
            """
            INSERT INTO referral_rewards (id, referrer_user_id, referred_user_id, booking_id, side, \
            amount_cents, status, unlock_ts, expire_ts, rule_version, idempotency_key, created_at, updated_at)
            VALUES (\(id), \(attribution.referrer), \(student), \(booking), 'student', \
            \(rules.studentAmountCents), 'pending', \(unlock), \(unlock + rules.lifetime), \(rules.version), \
            \("referral_student_\(student)"), \(context.now), \(context.now))
            ON CONFLICT (idempotency_key) DO NOTHING
            """)
        guard added.affected == 1 else { return nil }
        let isWithinCap = try count(attribution.referrer, rules.studentGlobalCap, tx)
        try tx.audit(
            "referral.reward_create", Subject("referral_reward", id.description),
            changes: changes(
                from: [:], to: ["status": "pending", "amount_cents": .int(rules.studentAmountCents)]))
        if !isWithinCap { try void("id = \(id)", "cap", tx, context) }
        return id
    }

    /// One more for the person, unless that is over the cap.
    private static func count(_ user: ULID, _ cap: Int, _ tx: Transaction) throws -> Bool {
        try tx.run(
            """
            INSERT INTO referral_limits (user_id, student_rewards) VALUES (\(user), 1)
            ON CONFLICT (user_id) DO UPDATE SET student_rewards = referral_limits.student_rewards + 1
            WHERE referral_limits.student_rewards < \(cap)
            """
        ).affected == 1
    }

    /// Called when the lesson that earned it was paid back.
    package static func refunded(booking: ULID, _ tx: Transaction, _ context: Context) throws {
        try void("booking_id = \(booking)", "refund", tx, context)
    }

    /// Voids what is not redeemed yet.
    private static func void(_ condition: SQL, _ reason: String, _ tx: Transaction, _ context: Context) throws
    {
        let voided: [ReferralReward] = try tx.all(
            """
            UPDATE referral_rewards SET status = 'void', void_reason = \(reason), updated_at = \(context.now)
            WHERE \(condition) AND status IN ('pending', 'unlocked') RETURNING \(columns)
            """)
        for reward in voided {
            try tx.audit(
                "referral.reward_void", reward.subject, changes: ["status": ["new": "void"]],
                description: reason)
        }
    }
}
