import JSON
package import Kernel
package import Storage

extension ReferralReward {
    /// Makes rewards usable whose hold is over, and voids those that nobody used in time.
    /// - Returns: how many of each; `isAll` tells whether fewer than `limit` were found.
    package static func unlockDue(_ limit: Int, _ tx: Transaction, _ context: Context) throws -> (
        unlocked: Int, expired: Int, isAll: Bool
    ) {
        let now = context.now
        let unlocked = try take(
            "status = 'pending' AND unlock_ts <= \(now) ORDER BY unlock_ts LIMIT \(limit)",
            "status = 'unlocked', updated_at = \(now)", tx)
        let expired = try take(
            "status = 'unlocked' AND expire_ts <= \(now) ORDER BY expire_ts LIMIT \(limit)",
            "status = 'void', void_reason = 'expired', updated_at = \(now)", tx)
        for reward in unlocked {
            try tx.audit(
                "referral.reward_unlock", reward.subject,
                changes: changes(from: ["status": "pending"], to: ["status": "unlocked"]))
        }
        for reward in expired {
            try tx.audit(
                "referral.reward_void", reward.subject,
                changes: changes(from: ["status": "unlocked"], to: ["status": "void"]),
                description: "expired")
        }
        return (unlocked.count, expired.count, unlocked.count < limit && expired.count < limit)
    }

    /// Changes the rows that `choice` finds and nobody else is at.
    private static func take(_ choice: SQL, _ change: SQL, _ tx: Transaction) throws -> [ReferralReward] {
        // Materialized, so that PostgreSQL chooses once.
        try tx.all(
            """
            WITH due AS MATERIALIZED (SELECT id FROM referral_rewards WHERE \(choice) \(.skipLocked))
            UPDATE referral_rewards SET \(change) WHERE id IN (SELECT id FROM due) RETURNING \(columns)
            """)
    }

    /// Uses the person's oldest usable reward for an order; a row of the wallet says for which.
    /// An order takes one: repeating the call gives the same.
    ///
    /// - Returns: the amount; nil when the person has none.
    package static func redeem(order: String, by user: ULID, _ tx: Transaction, _ context: Context) throws
        -> Int?
    {
        // Whoever earned something has this row; what they redeem at the same time waits here.
        try tx.run("SELECT 1 FROM referral_limits WHERE user_id = \(user) \(.forUpdate)")
        let earlier: Int? = try tx.value(
            "SELECT amount_cents FROM wallet_transactions WHERE user_id = \(user) AND order_id = \(order)")
        if let earlier { return earlier }
        let taken: ReferralReward? = try tx.one(
            """
            SELECT \(columns) FROM referral_rewards
            WHERE referrer_user_id = \(user) AND status = 'unlocked' AND expire_ts > \(context.now)
            ORDER BY expire_ts, id LIMIT 1 \(.forUpdate)
            """)
        guard let taken else { return nil }
        try tx.run(
            """
            UPDATE referral_rewards SET status = 'redeemed', updated_at = \(context.now)
            WHERE id = \(taken.id)
            """)
        try tx.run(
            """
            INSERT INTO wallet_transactions (id, user_id, type, amount_cents, reward_id, order_id, created_at)
            VALUES (\(context.newID()), \(user), 'referral_credit', \(taken.amountCents), \(taken.id), \
            \(order), \(context.now))
            """)
        try tx.audit(
            "referral.reward_redeem", taken.subject,
            changes: changes(from: ["status": "unlocked"], to: ["status": "redeemed"]),
            metadata: ["order_id": .string(order), "amount_cents": .int(taken.amountCents)])
        return taken.amountCents
    }
}
