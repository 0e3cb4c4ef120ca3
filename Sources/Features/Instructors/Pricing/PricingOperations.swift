import Kernel
import Storage

/// A commission tier, as an argument.
struct TierInput: InputRecord {
    @Input("Lessons in the activity window from which it applies.", .range(0...100_000)) var min: Int
    @Input("Lessons up to which it applies; none in the last tier.", .range(1...100_000)) var max: Int?
    @Input("The platform's share, from 0 to 1.") var pct: Rate
}

/// The least that an hour may cost, as an argument.
struct PriceFloorInput: InputRecord {
    @Input("Cents for an hour in person.", .range(0...100_000)) var privateInPerson: Int
    @Input("Cents for an hour online.", .range(0...100_000)) var privateRemote: Int
}

/// The cycle of credits that students earn, as an argument.
struct CreditCycleInput: InputRecord {
    @Input("Lessons in a cycle.", .range(1...1_000)) var cycleLen: Int
    @Input("Place in a cycle of the first credit.", .range(0...1_000)) var mod10: Int
    @Input("Cents of the first credit.", .range(0...100_000)) var cents10: Int
    @Input("Place in a double cycle of the second credit.", .range(0...1_000)) var mod20: Int
    @Input("Cents of the second credit.", .range(0...100_000)) var cents20: Int
}

/// The pricing in force and since when.
struct PricingView: Codable, Sendable {
    var config: PricingConfig
    /// Null while the defaults apply.
    var updatedAt: Instant?

    init(_ db: Snapshot) throws {
        config = try PricingConfig.current(db)
        updatedAt = try PlatformConfig.find(PricingConfig.key, db)?.updatedAt
    }
}

/// The pricing in force.
struct ShowPricing: Query {
    static let name = "pricing_config_show"
    static let summary = "Fees, tiers, floors and credits in force."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("admin/config/pricing")
    static let action = "config.view"
    typealias Output = PricingView
    var subject: Subject? { Subject("config", PricingConfig.key) }

    func run(_ db: Reader, _ context: Context) async throws -> PricingView {
        try await db.read { try PricingView($0) }
    }
}

/// Changes the pricing, checked as a whole.
struct UpdatePricing: Command {
    static let name = "pricing_config_update"
    static let summary = "Change fees, tiers, floors or credits; what is left out stays as it is."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.adminManage)
    static let route = Route.patch("admin/config/pricing")
    static let action = "config.pricing_update"

    @Input("Students' fee, from 0 to 1.") var studentFeePct: Rate?
    @Input("Commissions by lessons in the activity window, all of them.", .count(1...20)) var instructorTiers:
        [TierInput]?
    @Input("Founding instructors' commission, from 0 to 1.") var foundingInstructorRatePct: Rate?
    @Input("How many founding instructors there may be.", .range(0...100_000)) var foundingInstructorCap: Int?
    @Input("How much search favours founding instructors.", .range(1...10)) var foundingSearchBoost: Double?
    @Input("Days whose lessons decide the tier.", .range(1...365)) var tierActivityWindowDays: Int?
    @Input("Tiers that a commission goes up at a time.", .range(1...10)) var tierStepdownMax: Int?
    @Input("Days without a lesson after which the entry tier applies.", .range(1...3_650))
    var tierInactivityResetDays: Int?
    @Input("The least that an hour may cost.") var priceFloorCents: PriceFloorInput?
    @Input("The credits that students earn.") var studentCreditCycle: CreditCycleInput?
    typealias Output = PricingView
    var subject: Subject? { Subject("config", PricingConfig.key) }

    func run(_ tx: Transaction, _ context: Context) throws -> PricingView {
        try tx.lock("platform_config")
        let old = try PricingConfig.current(tx)
        let new = merged(into: old)
        let problems = new.problems
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        try PlatformConfig.store(PricingConfig.key, new, instead: old, tx, context)
        return try PricingView(tx)
    }

    private func merged(into old: PricingConfig) -> PricingConfig {
        var new = old
        new.studentFeePct = studentFeePct ?? old.studentFeePct
        if let instructorTiers {
            new.instructorTiers = instructorTiers.map { .init(min: $0.min, max: $0.max, pct: $0.pct) }
        }
        new.foundingInstructorRatePct = foundingInstructorRatePct ?? old.foundingInstructorRatePct
        new.foundingInstructorCap = foundingInstructorCap ?? old.foundingInstructorCap
        new.foundingSearchBoost = foundingSearchBoost ?? old.foundingSearchBoost
        new.tierActivityWindowDays = tierActivityWindowDays ?? old.tierActivityWindowDays
        new.tierStepdownMax = tierStepdownMax ?? old.tierStepdownMax
        new.tierInactivityResetDays = tierInactivityResetDays ?? old.tierInactivityResetDays
        if let floor = priceFloorCents {
            new.priceFloorCents.privateInPerson = floor.privateInPerson
            new.priceFloorCents.privateRemote = floor.privateRemote
        }
        if let cycle = studentCreditCycle {
            new.studentCreditCycle.cycleLen = cycle.cycleLen
            (new.studentCreditCycle.mod10, new.studentCreditCycle.cents10) = (cycle.mod10, cycle.cents10)
            (new.studentCreditCycle.mod20, new.studentCreditCycle.cents20) = (cycle.mod20, cycle.cents20)
        }
        return new
    }
}

/// What everybody may know of the pricing.
struct ShowPublicConfig: Query {
    static let name = "public_config_show"
    static let summary = "Fees and price floors, and whether founding instructors are still wanted."
    static let audience = Audience.anyone
    static let route = Route.get("config/public")

    struct Output: Codable, Sendable {
        var studentFeePct: Rate
        var instructorTiers: [PricingConfig.Tier]
        var foundingInstructorRatePct: Rate
        var isFoundingPhase: Bool
        var priceFloorCents: PricingConfig.PriceFloor
        var studentCreditCycle: PricingConfig.CreditCycle
        /// Null while the defaults apply.
        var updatedAt: Instant?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        try await db.read { db in
            let view = try PricingView(db)
            let config = view.config
            return Output(
                studentFeePct: config.studentFeePct, instructorTiers: config.instructorTiers,
                foundingInstructorRatePct: config.foundingInstructorRatePct,
                isFoundingPhase: try Founding.used(db) < config.foundingInstructorCap,
                priceFloorCents: config.priceFloorCents, studentCreditCycle: config.studentCreditCycle,
                updatedAt: view.updatedAt)
        }
    }
}

/// How many founding instructors there are and may be.
struct CountFounding: Query {
    static let name = "founding_count"
    static let summary = "How many founding instructors there are, and how many more there may be."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("admin/instructors/founding/count")
    static let action = "founding.view"

    struct Output: Codable, Sendable {
        var cap: Int
        var used: Int
        var remaining: Int
        /// Of those that remain, promised by invitations that nobody has used yet.
        var promised: Int
        var isFoundingPhase: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let now = context.now
        return try await db.read { db in
            let cap = try PricingConfig.current(db).foundingInstructorCap
            let used = try Founding.used(db)
            let remaining = Founding.remaining(cap: cap, used: used, outstanding: 0)
            return Output(
                cap: cap, used: used, remaining: remaining,
                promised: try Invite.outstandingFounding(db, now: now), isFoundingPhase: remaining > 0)
        }
    }
}
