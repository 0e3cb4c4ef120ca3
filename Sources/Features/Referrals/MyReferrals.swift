import Kernel
import Storage

/// Where a referral link leads.
enum ReferralLink {
    static func url(_ code: ReferralCode, _ configuration: Configuration) -> String {
        let base = configuration.publicURL ?? "http://127.0.0.1:8000"
        return "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/r/\(code.slug ?? code.code)"
    }
}

/// The person's code, what it brought, and what of that they can use.
struct ShowMyReferrals: Query {
    static let name = "referral_me"
    static let summary = "The signed-in person's referral code and rewards."
    static let audience = Audience.users
    static let route = Route.get("referrals/me")
    /// More are not shown.
    static let limit = 100

    struct Reward: Codable, Sendable {
        var id: ULID
        var amountCents: Int
        var status: RewardStatus
        var unlocksAt: Instant
        var expiresAt: Instant
        var voidReason: String?

        init(_ reward: ReferralReward) {
            id = reward.id
            amountCents = reward.amountCents
            status = reward.status
            unlocksAt = reward.unlocksAt
            expiresAt = reward.expiresAt
            voidReason = reward.voidReason
        }
    }

    struct Output: Codable, Sendable {
        /// null until the person asks for one.
        var code: String?
        var slug: String?
        var shareURL: String?
        /// The newest, at most ``ShowMyReferrals/limit``.
        var rewards: [Reward]
        var unlockedCents: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let (code, rewards) = try await db.read { db in
            (
                try ReferralCode.active(of: user, db),
                try ReferralReward.list(of: user, limit: Self.limit, db)
            )
        }
        return Output(
            code: code?.code, slug: code?.slug,
            shareURL: code.map { ReferralLink.url($0, context.configuration) },
            rewards: rewards.map(Reward.init),
            unlockedCents: rewards.filter { $0.status == .unlocked }.reduce(0) { $0 + $1.amountCents })
    }
}

/// Gives the person a code, and a name for it when they want one.
struct JoinReferrals: Command {
    static let name = "referral_join"
    static let summary = "Give the signed-in person a referral code, and a name for it."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("referrals/me")
    static let action = "referral.join"

    @Input("A name for the link instead of the code.", .length(3...40)) var slug: String?
    @Input("What the client calls the device it runs on.", .length(1...200)) var deviceID: String?

    struct Output: Codable, Sendable {
        var code: String
        var slug: String?
        var shareURL: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        var code = try ReferralCode.ensure(of: user, tx, context)
        try Fingerprint(ip: context.ip, device: deviceID).note(user, tx, context)
        if let slug, slug.lowercased() != code.slug {
            try code.name(slug, tx, context)
            code.slug = slug.lowercased()
        }
        return Output(
            code: code.code, slug: code.slug, shareURL: ReferralLink.url(code, context.configuration))
    }
}

/// Who is behind a link.
struct FollowReferral: Query {
    static let name = "referral_link"
    static let summary = "Whose referral link this is."
    static let audience = Audience.anyone
    static let route = Route.get("r/:slug")

    @Input("The link's name or code.", .length(1...40)) var slug: String

    struct Output: Codable, Sendable {
        var code: String
        var referrerName: String
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let slug = slug
        let found: Output? = try await db.read { db in
            guard let code = try ReferralCode.find(slug, db) else { return nil }
            let name = try User.names([code.referrer], db)[code.referrer]
            return Output(code: code.code, referrerName: name ?? User.formerName)
        }
        guard let found else { throw ReferralCode.unknown }
        return found
    }
}

/// Counts that somebody followed a link.
struct CountReferralClick: Command {
    static let name = "referral_click"
    static let summary = "Count that somebody followed a referral link."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let route = Route.post("r/:slug/click")
    static let action = "referral.click"

    @Input("The link's name or code.", .length(1...40)) var slug: String
    @Input("Where it was found, e.g. mail.", .length(1...40)) var channel: String?

    struct Output: Codable, Sendable {
        var code: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let code = try ReferralCode.find(slug, tx) else { throw ReferralCode.unknown }
        try code.clicked(channel: channel, tx, context)
        return Output(code: code.code)
    }
}

/// Says by whom the person was brought.
struct ClaimReferral: Command {
    static let name = "referral_claim"
    static let summary = "Say by whose code the signed-in person came; once."
    static let effect = Effect.additive
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("referrals/claim")
    static let action = "referral.attribute"

    @Input("The code or the link's name.", .length(1...40)) var code: String
    @Input("Where it was found, e.g. mail.", .length(1...40)) var source = "link"
    @Input("What the client calls the device it runs on.", .length(1...200)) var deviceID: String?
    @Input("When the person first came, before they had an account.") var firstSeen: Instant?

    struct Output: Codable, Sendable {
        var attributed: Bool
        /// Why not.
        var reason: ReferralAttribution.Claim?
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let claim = try ReferralAttribution.claim(
            code, by: context.userID(), Fingerprint(ip: context.ip, device: deviceID), source: source,
            firstSeen: firstSeen, tx, context)
        return Output(attributed: claim == .attributed, reason: claim == .attributed ? nil : claim)
    }
}

/// Sends the person's link to others.
struct SendReferrals: Command {
    static let name = "referral_send"
    static let summary = "Send the signed-in person's referral link to up to 10 addresses; each gets it once."
    static let effect = Effect.additive
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("public/referrals/send")
    static let action = "referral.send"
    static let cost = 5

    @Input("Where it goes.", .count(1...10)) var emails: [String]

    struct Output: Codable, Sendable {
        var accepted: Int
        /// Addresses that no mail can go to.
        var failed: [String]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        let code = try ReferralCode.ensure(of: user, tx, context)
        try Fingerprint(ip: context.ip, device: nil).note(user, tx, context)
        let name = try User.names([user], tx)[user] ?? User.formerName
        let addresses = emails.map { User.normalized(email: $0) }
        for email in addresses where Recipient.isAddress(email) {
            let text = """
                \(UntrustedText.cleaned(name, maximumCharacters: 60)) thinks you may like InstaInstru.

                \(ReferralLink.url(code, context.configuration))
                """
            try tx.send(
                .email(
                    to: email, subject: "An invitation to InstaInstru", text: text, event: "referral.sent",
                    about: code.id.description, key: "referral/\(code.id)/\(Fingerprint.hash(email))"))
        }
        let failed = addresses.filter { !Recipient.isAddress($0) }
        return Output(accepted: addresses.count - failed.count, failed: failed)
    }
}

extension ReferralCode {
    static let unknown = Failure(
        .notFound, "There is no such referral link.", reason: "referral_code_not_found")
}
