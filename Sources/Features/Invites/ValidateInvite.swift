import Kernel
import Storage

/// Whether a code would let somebody in. Guesses are slowed down by the rate of writing.
struct ValidateInvite: Query {
    static let name = "invite_validate"
    static let summary = "Whether an invite can be used, and what it brings."
    static let audience = Audience.anyone
    static let bucket = RateBucket.write
    static let route = Route.get("beta/invites/validate")

    @Input("The code.", .length(1...40)) var code: String

    struct Output: Codable, Sendable {
        var valid: Bool
        /// Why not.
        var reason: InviteRefusal?
        var role: String?
        var grantFoundingStatus: Bool?
        /// Enough to recognise the address that it was sent to.
        var email: String?
        var expiresAt: Instant?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (code, now) = (code, context.now)
        let invite = try await db.read { try Invite.find(code: code, $0) }
        let reason = Invite.refusal(of: invite, at: now)
        guard let invite, reason == nil else { return Output(valid: false, reason: reason) }
        return Output(
            valid: true, role: invite.role, grantFoundingStatus: invite.grantsFounding,
            email: invite.email.map(Recipient.masked), expiresAt: invite.expiresAt)
    }
}

/// What the caller was given by invites.
struct ShowBetaAccess: Query {
    static let name = "invite_verified"
    static let summary = "Whether the signed-in person came in by an invite, and to what."
    static let audience = Audience.users
    static let route = Route.get("beta/invites/verified")

    struct Row: Codable, Sendable {
        var role: String
        var phase: String
        var grantedAt: Instant
    }

    struct Output: Codable, Sendable {
        var verified: Bool
        var access: [Row]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let access = try await db.read { try BetaAccess.of(user, $0) }
        return Output(
            verified: !access.isEmpty,
            access: access.map { Row(role: $0.role, phase: $0.phase, grantedAt: $0.grantedAt) })
    }
}

/// Uses up an invite for somebody who has an account already.
struct ConsumeInvite: Command {
    static let name = "invite_consume"
    static let summary = "Use an invite for the signed-in person."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let route = Route.post("beta/invites/consume")
    static let action = "invite.redeem"

    @Input("The code.", .length(1...40)) var code: String

    struct Output: Codable, Sendable {
        var role: String
        var phase: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        let isInstructor = context.actor.roles.contains(UserRole.instructor.rawValue)
        let invite = try Invite.consume(
            code: code, email: context.actor.email ?? "", user: user,
            role: isInstructor ? UserRole.instructor.rawValue : UserRole.student.rawValue, tx, context)
        return Output(role: invite.role, phase: try BetaSettings.current(tx).betaPhase)
    }
}
