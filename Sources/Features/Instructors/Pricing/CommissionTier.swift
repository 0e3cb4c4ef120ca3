package import Storage

/// What an instructor's commission hangs on (domain specification §2.6).
package struct CommissionTier: Sendable, Hashable {
    package var isFounding: Bool
    /// As it was last evaluated.
    package var current: Rate
    /// Lessons completed in the activity window that ends now.
    package var completedInWindow: Int
    /// When the last lesson was completed; nil for never.
    package var lastCompletedAt: Instant?
    /// The lesson that is being priced is not among the completed ones, and counts too.
    package var isPricingUncompleted: Bool

    package init(
        isFounding: Bool = false, current: Rate, completedInWindow: Int, lastCompletedAt: Instant?,
        isPricingUncompleted: Bool = false
    ) {
        self.isFounding = isFounding
        self.current = current
        self.completedInWindow = completedInWindow
        self.lastCompletedAt = lastCompletedAt
        self.isPricingUncompleted = isPricingUncompleted
    }

    /// The commission from now on.
    ///
    /// Founding instructors keep theirs for life. Who never completed a lesson, or
    /// none for long, is at the entry tier. Otherwise a lower commission applies at
    /// once, and a higher one comes a step at a time.
    package func evaluated(_ config: PricingConfig, now: Instant) -> Rate {
        if isFounding { return config.foundingInstructorRatePct }
        let reset = Duration.seconds(config.tierInactivityResetDays * 86_400)
        guard let lastCompletedAt, now - lastCompletedAt <= reset else { return config.entryRate }
        let tiers = config.instructorTiers
        let count = completedInWindow + (isPricingUncompleted ? 1 : 0)
        let required = tiers.lastIndex { $0.min <= count } ?? 0
        // A commission that no tier has any more counts as the next dearer one.
        let present = tiers.lastIndex { $0.pct >= current } ?? 0
        guard required < present else { return tiers.isEmpty ? config.entryRate : tiers[required].pct }
        return tiers[max(required, present - config.tierStepdownMax)].pct
    }
}
