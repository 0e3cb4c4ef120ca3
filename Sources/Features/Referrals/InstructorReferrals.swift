import Kernel
import Storage

/// A payout as the instructor who gets it sees it.
struct ReferralPayoutView: Codable, Sendable {
    var id: ULID
    var instructorName: String
    var amountCents: Int
    var wasFoundingBonus: Bool
    var status: PayoutStatus
    var transferredAt: Instant?
    var createdAt: Instant

    static func of(_ payouts: [InstructorReferralPayout], _ db: Snapshot) throws -> [ReferralPayoutView] {
        let names = try User.names(payouts.map(\.referredInstructor), db)
        return payouts.map {
            ReferralPayoutView(
                id: $0.id, instructorName: names[$0.referredInstructor] ?? User.formerName,
                amountCents: $0.amountCents, wasFoundingBonus: $0.isFoundingBonus, status: $0.status,
                transferredAt: $0.transferredAt, createdAt: $0.createdAt)
        }
    }
}

/// Sums of what an instructor earned by others.
struct ShowInstructorReferralStats: Query {
    static let name = "instructor_referral_stats"
    static let summary = "How many instructors the signed-in instructor brought and what that earned."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("instructor-referrals/stats")

    struct Output: Codable, Sendable {
        /// At most ``ReferralCounts/limit``.
        var totalReferred: Int
        var pendingPayouts: Int
        var completedPayouts: Int
        var failedPayouts: Int
        var paidCents: Int
        var currentBonusCents: Int
        var isFoundingPhase: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        return try await db.read { db in
            let (rules, counts) = (
                try ReferralConfig.current(db), try ReferralCounts.payouts(of: user, db)
            )
            let isFounding = try FoundingPlaces.remaining(db) > 0
            return Output(
                totalReferred: try ReferralCounts.referred(by: user, db),
                pendingPayouts: counts[.pending]?.count ?? 0,
                completedPayouts: counts[.completed]?.count ?? 0,
                failedPayouts: counts[.failed]?.count ?? 0, paidCents: counts[.completed]?.cents ?? 0,
                currentBonusCents: isFounding
                    ? rules.instructorFoundingBonusCents : rules.instructorAmountCents,
                isFoundingPhase: isFounding)
        }
    }
}

/// Whom an instructor brought.
struct ListReferredInstructors: Query {
    static let name = "instructor_referral_list"
    static let summary = "The payouts for instructors whom the signed-in instructor brought, newest first."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("instructor-referrals/referred")

    @Input("Rows to return.", .range(1...100)) var limit = 50

    struct Output: Codable, Sendable {
        var payouts: [ReferralPayoutView]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, limit) = (try context.userID(), limit)
        return Output(
            payouts: try await db.read { db in
                try ReferralPayoutView.of(
                    InstructorReferralPayout.list(of: user, limit: limit, db), db)
            })
    }
}

/// What a client tells an instructor of the programme.
struct ShowReferralPopup: Query {
    static let name = "instructor_referral_popup"
    static let summary = "What bringing an instructor earns at present, and the link to do it."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("instructor-referrals/popup-data")

    struct Output: Codable, Sendable {
        var isFoundingPhase: Bool
        var bonusAmountCents: Int
        var foundingSpotsRemaining: Int
        /// null until the person asks for a code.
        var referralLink: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        return try await db.read { db in
            let (rules, remaining) = (
                try ReferralConfig.current(db), try FoundingPlaces.remaining(db)
            )
            let code = try ReferralCode.active(of: user, db)
            return Output(
                isFoundingPhase: remaining > 0,
                bonusAmountCents: remaining > 0
                    ? rules.instructorFoundingBonusCents : rules.instructorAmountCents,
                foundingSpotsRemaining: remaining,
                referralLink: code.map { ReferralLink.url($0, context.configuration) })
        }
    }
}

/// How many founding places are left.
struct ShowFoundingStatus: Query {
    static let name = "instructor_referral_founding"
    static let summary = "How many founding places there are and how many are left."
    static let audience = Audience.anyone
    static let route = Route.get("instructor-referrals/founding-status")

    struct Output: Codable, Sendable {
        var isFoundingPhase: Bool
        var totalFoundingSpots: Int
        var spotsRemaining: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        try await db.read { db in
            let remaining = try FoundingPlaces.remaining(db)
            return Output(
                isFoundingPhase: remaining > 0, totalFoundingSpots: try PricingConfig.current(db).foundingInstructorCap,
                spotsRemaining: remaining)
        }
    }
}
