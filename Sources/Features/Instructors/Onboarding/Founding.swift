import JSON
package import Kernel
package import Storage

/// The founding programme: the first instructors keep a lower commission for life.
package enum Founding {
    /// How many hold the status.
    package static func used(_ db: Snapshot) throws -> Int {
        try db.value("SELECT COUNT(*) FROM instructor_profiles WHERE is_founding_instructor") ?? 0
    }

    /// How many more may be promised.
    /// - Parameter outstanding: invitations with the status that nobody has used yet.
    package static func remaining(cap: Int, used: Int, outstanding: Int) -> Int {
        max(0, cap - used - outstanding)
    }

    /// Gives the status to an instructor unless the cap is reached.
    ///
    /// Grants happen one after another across all processes, so the cap holds; who
    /// has the status keeps it and counts once.
    /// - Returns: whether the instructor has it now.
    package static func grant(_ user: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        guard let profile = try InstructorProfile.lock(user: user, tx) else { return false }
        guard !profile.isFoundingInstructor else { return true }
        try tx.lock("founding")
        let config = try PricingConfig.current(tx)
        guard try used(tx) < config.foundingInstructorCap else { return false }
        try tx.run(
            """
            UPDATE instructor_profiles SET is_founding_instructor = \(true), founding_granted_at = \(context.now), \
            current_tier_pct = \(config.foundingInstructorRatePct.percent), updated_at = \(context.now)
            WHERE id = \(profile.id)
            """)
        try tx.audit(
            "instructor.founding_grant", profile.subject,
            changes: changes(
                from: [
                    "is_founding_instructor": false, "current_tier_pct": .double(profile.commission.percent),
                ],
                to: [
                    "is_founding_instructor": true,
                    "current_tier_pct": .double(config.foundingInstructorRatePct.percent),
                ]))
        return true
    }
}

extension InstructorProfile {
    /// Evaluates the commission anew and keeps it; the profile is locked.
    /// - Returns: the commission from now on.
    package func evaluateTier(
        completedInWindow: Int, lastCompletedAt: Instant?, _ tx: Transaction, _ context: Context
    ) throws -> Rate {
        let next = CommissionTier(
            isFounding: isFoundingInstructor, current: commission, completedInWindow: completedInWindow,
            lastCompletedAt: lastCompletedAt
        ).evaluated(try PricingConfig.current(tx), now: context.now)
        try tx.run(
            """
            UPDATE instructor_profiles SET current_tier_pct = \(next.percent), last_tier_eval_at = \(context.now)
            WHERE id = \(id)
            """)
        guard next != commission else { return next }
        try tx.audit(
            "instructor.tier_change", subject,
            changes: changes(
                from: ["current_tier_pct": .double(commission.percent)],
                to: ["current_tier_pct": .double(next.percent)]))
        return next
    }
}
