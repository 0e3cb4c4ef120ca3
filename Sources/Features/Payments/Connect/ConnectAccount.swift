import Kernel
import Storage

/// Begins the instructor's account at the provider, or goes on with it.
struct BeginOnboarding: Command {
    static let name = "connect_onboard"
    static let summary = "Begin or go on with the instructor's account at the payment provider."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/connect/onboard")
    static let action = "instructor.payout_account_onboard"
    static let answersSecrets = true
    /// Where the provider sends the instructor back to.
    static let returnPath = "/instructor/onboarding/payments"

    @Prepared var link: Link?

    struct Link: Sendable {
        var profile: ULID
        var account: String
        var url: String?
        var isReady: Bool
    }

    struct Output: Codable, Sendable {
        var accountID: String
        /// Where to go on, for a few minutes; null when there is nothing left to do.
        var onboardingURL: String?
        var alreadyOnboarded: Bool
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let own = try await OwnAccount.find(db, context)
        if let account = own.account, account.isReady {
            link = Link(profile: own.profile, account: account.stripeID, url: nil, isReady: true)
            return
        }
        let provider = try PaymentProvider.required(context, db)
        let account: String
        if let known = own.account?.stripeID {
            account = known
        } else {
            // Made again it is the same, for the key is that of the profile.
            account = try await provider.ask(
                .createAccount(instructor: own.profile), key: "account_\(own.profile)"
            ).id
        }
        let page = DeliverSandboxEvent.address(context.configuration) + Self.returnPath
        let made = try await provider.ask(
            .accountLink(account: account, refreshURL: page + "?refresh=1", returnURL: page),
            key: "account_link_\(account)_\(context.requestID)")
        link = Link(profile: own.profile, account: account, url: made.url, isReady: false)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let link else { throw Failure(.internal, "The account was not prepared.") }
        try ConnectedAccount.store(link.account, profile: link.profile, tx, context)
        return Output(accountID: link.account, onboardingURL: link.url, alreadyOnboarded: link.isReady)
    }
}

/// How far the instructor's account is, as the provider says now.
struct ShowConnectStatus: Query {
    static let name = "connect_status"
    static let summary = "Whether money can be paid to the instructor, as the payment provider says."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("payments/connect/status")
    static let isRemembered = true

    struct Output: Codable, Sendable {
        var hasAccount: Bool
        var accountID: String?
        var onboardingCompleted: Bool
        /// As the provider says now; null when it did not answer.
        var chargesEnabled: Bool?
        /// Since when the instructor has cut the tie to it.
        var deauthorizedAt: Instant?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        guard let account = try await OwnAccount.find(db, context).account else {
            return Output(hasAccount: false, onboardingCompleted: false)
        }
        var isEnabled: Bool?
        if case .done(let found) = try await PaymentProvider.required(context, db).retrieve(
            .account, account.stripeID)
        {
            isEnabled = found?.status == "enabled"
        }
        return Output(
            hasAccount: true, accountID: account.stripeID,
            onboardingCompleted: account.isOnboarded || isEnabled == true, chargesEnabled: isEnabled,
            deauthorizedAt: account.deauthorizedAt)
    }

    /// What was learned is kept: its event may come late.
    func remember(_ output: Output, _ tx: Transaction, _ context: Context) throws {
        guard output.chargesEnabled == true, let account = output.accountID else { return }
        try ConnectedAccount.complete(account, tx, context)
    }
}

/// A link to the provider's own pages about the instructor's money.
struct OpenConnectDashboard: Query {
    static let name = "connect_dashboard"
    static let summary = "A link to the instructor's pages at the payment provider, good for a few minutes."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.get("payments/connect/dashboard")
    static let answersSecrets = true

    struct Output: Codable, Sendable {
        var dashboardURL: String
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let account = try await OwnAccount.find(db, context).ready()
        let link = try await PaymentProvider.required(context, db).ask(
            .loginLink(account: account.stripeID), key: "login_\(account.stripeID)_\(context.requestID)")
        guard let url = link.url else {
            throw Failure(
                .unavailable, "The payment provider gave no link.", hint: "Try again in a moment.",
                reason: "payment_provider_unavailable")
        }
        return Output(dashboardURL: url)
    }
}

/// Sets the instructor's payouts to the schedule that all have.
struct SetPayoutSchedule: Command {
    static let name = "connect_payout_schedule"
    static let summary = "Set the instructor's payouts to weekly, each Tuesday."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/connect/payout-schedule")
    static let action = "instructor.payout_schedule"

    @Prepared var account: ConnectedAccount?

    struct Output: Codable, Sendable {
        var accountID: String
        var interval: String
        var weeklyAnchor: String
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let ready = try await OwnAccount.find(db, context).ready()
        _ = try await PaymentProvider.required(context, db).ask(
            .weeklyPayouts(account: ready.stripeID, anchor: AuditPayoutSchedules.anchor),
            key: "payout_schedule_\(ready.stripeID)_\(context.requestID)")
        account = ready
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let account else { throw Failure(.internal, "The schedule was not prepared.") }
        return Output(
            accountID: account.stripeID, interval: "weekly", weeklyAnchor: AuditPayoutSchedules.anchor)
    }
}
