package import Kernel
package import Storage

/// What lessons cost and what of it instructors keep: the value of
/// `platform_config` under `pricing`, with the defaults of the domain
/// specification §2.6.
package struct PricingConfig: Sendable, Hashable, Codable {
    /// The commission of instructors who completed so many lessons in the activity window.
    package struct Tier: Sendable, Hashable, Codable {
        package var min: Int
        /// Inclusive; nil for the last tier, which has no end.
        package var max: Int?
        package var pct: Rate

        package init(min: Int, max: Int?, pct: Rate) { (self.min, self.max, self.pct) = (min, max, pct) }
    }

    /// The least that an hour may cost.
    package struct PriceFloor: Sendable, Hashable, Codable {
        package var privateInPerson = 8_000
        package var privateRemote = 6_000
    }

    /// Credits that students earn: every `cycleLen` lessons, counted over two cycles.
    package struct CreditCycle: Sendable, Hashable, Codable {
        package var cycleLen = 11
        package var mod10 = 5
        package var cents10 = 1_000
        package var mod20 = 0
        package var cents20 = 2_000
    }

    package static let key = "pricing"

    package var studentFeePct = Rate(basisPoints: 1_200)
    package var instructorTiers = [
        Tier(min: 1, max: 4, pct: Rate(basisPoints: 1_500)),
        Tier(min: 5, max: 10, pct: Rate(basisPoints: 1_200)),
        Tier(min: 11, max: nil, pct: Rate(basisPoints: 1_000)),
    ]
    package var foundingInstructorRatePct = Rate(basisPoints: 800)
    package var foundingInstructorCap = 100
    package var foundingSearchBoost = 1.5
    package var tierActivityWindowDays = 30
    package var tierStepdownMax = 1
    package var tierInactivityResetDays = 90
    package var priceFloorCents = PriceFloor()
    package var studentCreditCycle = CreditCycle()

    package init() {}

    /// The commission of those who begin, or begin again.
    package var entryRate: Rate { instructorTiers.first?.pct ?? Rate(basisPoints: 1_500) }

    /// What is wrong with it; empty when it can be used.
    package var problems: [Failure.Field] {
        var problems: [Failure.Field] = []
        func require(_ holds: Bool, _ name: String, _ problem: String) {
            if !holds { problems.append(.init(name, problem)) }
        }
        // Less could only be percent of a percent; columns refuse it too.
        let least = Rate(basisPoints: 100)
        require(foundingInstructorRatePct >= least, "founding_instructor_rate_pct", "must be at least 0.01")
        require(
            instructorTiers.allSatisfy { $0.pct >= least }, "instructor_tiers",
            "must have a pct of at least 0.01")
        require(
            (0...100_000).contains(foundingInstructorCap), "founding_instructor_cap", "must be 0 to 100000")
        require((1...10).contains(foundingSearchBoost), "founding_search_boost", "must be from 1 to 10")
        require((1...365).contains(tierActivityWindowDays), "tier_activity_window_days", "must be 1 to 365")
        require((1...10).contains(tierStepdownMax), "tier_stepdown_max", "must be 1 to 10")
        require(
            (1...3_650).contains(tierInactivityResetDays), "tier_inactivity_reset_days", "must be 1 to 3650")
        let floors = [priceFloorCents.privateInPerson, priceFloorCents.privateRemote]
        require(floors.allSatisfy { (0...100_000).contains($0) }, "price_floor_cents", "must be 0 to 100000")
        let cycle = studentCreditCycle
        require(
            cycle.cycleLen >= 1
                && [cycle.mod10, cycle.mod20, cycle.cents10, cycle.cents20].allSatisfy { $0 >= 0 },
            "student_credit_cycle", "must count from 1, with places and cents that are not negative")
        if let problem = tierProblem { problems.append(.init("instructor_tiers", problem)) }
        return problems
    }

    /// Tiers begin at 1, follow each other without gap or overlap, each cheaper
    /// than the one before, and the last is open.
    private var tierProblem: String? {
        guard let first = instructorTiers.first, let last = instructorTiers.last else {
            return "must not be empty"
        }
        guard first.min == 1 else { return "must begin at 1 lesson, not at \(first.min)" }
        guard last.max == nil else { return "must have no max in its last tier" }
        for (tier, next) in zip(instructorTiers, instructorTiers.dropFirst()) {
            guard let max = tier.max, max >= tier.min else {
                return "must have a max of at least min in each but the last"
            }
            guard next.min == max + 1 else {
                return "must follow each other: after \(max) comes \(max + 1), not \(next.min)"
            }
            guard next.pct < tier.pct else {
                return "must get cheaper: \(next.pct.fraction) is not below \(tier.pct.fraction)"
            }
        }
        return nil
    }
}

extension PricingConfig {
    /// The configuration in force.
    package static func current(_ db: Snapshot) throws -> PricingConfig {
        try PlatformConfig.find(key, db)?.decode(PricingConfig.self) ?? PricingConfig()
    }
}
