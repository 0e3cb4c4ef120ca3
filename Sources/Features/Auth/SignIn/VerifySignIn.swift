import Kernel
import Storage

/// The second step of a sign-in: a code for the temporary token of the first.
struct VerifySignIn: Command {
    static let name = "two_factor_verify_login"
    static let title = "Sign in with the second factor"
    static let summary = "Finish a sign-in with a code of the authenticator or a backup code."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "user.login"
    static let route = Route.post("2fa/verify-login")
    static let bucket = RateBucket.authBootstrap
    static let secretInputs: Set = ["code", "backup_code"]

    @Input("The temp_token of the first step.", .length(1...2_048)) var tempToken: String
    @Input("A code of the authenticator.", .length(6...10)) var code: String?
    @Input("A backup code.", .length(12...20)) var backupCode: String?
    @Input("Do not ask this device for a code for 30 days.") var trustDevice = false
    @Input("The guest session.") var guestSessionID: ULID?

    /// What was found out before the transaction; nil for a token that is not good.
    struct Judged: Sendable {
        var challenge: ChallengeToken
        var user: ULID
        /// Nil while too many were wrong.
        var factor: SecondFactor?
        var credentials: Credentials
    }

    @Prepared var judged: Judged?
    var subject: Subject? { judged.map { Subject("user", $0.user.description) } }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        guard code != nil || backupCode != nil else {
            throw Failure.invalid([.init("code", "or backup_code is required")])
        }
        let keys = try await TokenKeys(context.environment.secrets, purpose: ChallengeToken.purpose)
        guard let challenge = await keys.claims(tempToken, as: ChallengeToken.self),
            challenge.isValid(at: context.now), let id = ULID(challenge.sub)
        else { return }
        let (factor, full) = try await db.read { db in
            try RateWindow.secondStep(ip: context.ip).requireRoom(db, now: context.now)
            return (try TwoFactor.find(id, db), try RateWindow.proof(of: id).fullUntil(db, now: context.now))
        }
        guard let factor else { return }
        judged = Judged(
            challenge: challenge, user: id,
            factor: full == nil
                ? try await SecondFactor.judge(code, backup: backupCode, of: factor, db, context) : nil,
            credentials: try await Credentials.make(for: id, context))
    }

    func run(_ tx: Transaction, _ context: Context) throws -> SignInResult {
        try RateWindow.secondStep(ip: context.ip).take(tx, now: context.now)
        guard let judged, let user = try User.lock(judged.user, tx), user.canSignIn,
            !user.isDead(tokenOf: judged.challenge.issuedAt)
        else { throw KeptRefusal(Self.expired) }
        let window = RateWindow.proof(of: user.id)
        if let full = try window.fullUntil(tx, now: context.now) {
            throw KeptRefusal(SignInAttempt.lockedOut(until: full, context.now))
        }
        guard try judged.factor?.use(of: user.id, tx, context) == true else {
            // The token stays good for the rest of its minute: a slip is no new sign-in.
            try window.take(tx, now: context.now)
            throw KeptRefusal(Self.wrong)
        }
        guard try ChallengeUse.add(judged.challenge, tx) else { throw Self.expired }
        try window.clear(tx)
        var device: String?
        if trustDevice {
            let token = TrustedDevice.random()
            try TrustedDevice.add(token, for: user.id, tx, context)
            device = token
        }
        try SignInAttempt.complete(user, judged.credentials, guest: guestSessionID, tx, context)
        return SignInResult(judged.credentials, device: device, at: context.now)
    }

    static func verdict(on output: SignInResult) -> (status: AuditStatus, error: String?) { output.verdict }
    static func attachments(of output: SignInResult) -> Attachments { output.attachments }

    private static var expired: Failure {
        Failure(
            .unauthenticated, "The temporary token is not good, or has been used.",
            hint: "Sign in again.", reason: "invalid_temp_token")
    }

    private static var wrong: Failure {
        Failure(
            .unauthenticated, "The code is wrong.", hint: "Enter the code that the app shows now.",
            reason: "invalid_code")
    }
}
