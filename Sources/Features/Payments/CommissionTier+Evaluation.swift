import JSON
package import Kernel
package import Storage

extension CommissionTier {
    /// The commission of an instructor's next lesson, from the lessons that they held
    /// (domain specification §2.6).
    package static func current(
        instructor user: ULID, isPricingUncompleted: Bool, _ config: PricingConfig, _ db: Snapshot,
        _ context: Context
    ) throws -> Rate {
        guard let profile = try InstructorProfile.find(user: user, db) else { return config.entryRate }
        return try current(profile, isPricingUncompleted, config, db, context)
    }

    private static func current(
        _ profile: InstructorProfile, _ isPricingUncompleted: Bool, _ config: PricingConfig, _ db: Snapshot,
        _ context: Context
    ) throws -> Rate {
        let since = context.now - .seconds(config.tierActivityWindowDays * 86_400)
        let row = try db.rows(
            """
            SELECT COUNT(CASE WHEN completed_at >= \(since) THEN 1 END), MAX(completed_at) FROM bookings
            WHERE instructor_id = \(profile.userID) AND status = 'COMPLETED'
            """
        ).first
        let tier = CommissionTier(
            isFounding: profile.isFoundingInstructor, current: profile.commission,
            completedInWindow: try row?.get(at: 0) ?? 0,
            lastCompletedAt: try row?.get(at: 1, as: Instant?.self) ?? nil,
            isPricingUncompleted: isPricingUncompleted)
        return tier.evaluated(config, now: context.now)
    }

    /// The same, kept on the profile.
    package static func evaluate(
        instructor user: ULID, isPricingUncompleted: Bool, _ config: PricingConfig, _ tx: Transaction,
        _ context: Context
    ) throws -> Rate {
        guard let profile = try InstructorProfile.lock(user: user, tx) else { return config.entryRate }
        let rate = try current(profile, isPricingUncompleted, config, tx, context)
        if rate != profile.commission {
            try tx.run(
                """
                UPDATE instructor_profiles SET current_tier_pct = \(rate.percent), \
                last_tier_eval_at = \(context.now), updated_at = \(context.now) WHERE id = \(profile.id)
                """)
            try tx.audit(
                "instructor.tier_change", profile.subject,
                changes: changes(
                    from: ["current_tier_pct": .double(profile.commission.percent)],
                    to: ["current_tier_pct": .double(rate.percent)]))
        }
        return rate
    }
}
