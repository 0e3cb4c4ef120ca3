import Kernel
import Storage

/// Makes a secret for an authenticator; nothing is on until a code of it was entered.
struct SetUpTwoFactor: Command {
    static let name = "two_factor_setup_initiate"
    static let title = "Begin to set up two-factor sign-in"
    static let summary = "Make a secret for an authenticator app; what is on stays on."
    static let effect = Effect.additive
    static let audience = Audience.users
    static let action = "user.2fa_setup"
    static let route = Route.post("2fa/setup/initiate")
    static let bucket = RateBucket.authBootstrap
    static let answersSecrets = true
    private static let issuer = "InstaInstru"

    struct Output: Codable, Sendable {
        /// To be typed where no code can be scanned.
        var secret: String
        var otpauthUrl: String
        /// A picture of the URL.
        var qrCodeDataUrl: String
        var expiresAt: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try context.userID()
        guard let user = try User.find(id, tx) else {
            throw Failure(.unauthenticated, "There is no such user.")
        }
        guard try TwoFactor.find(id, tx) == nil else { throw TwoFactorProblem.isOn }
        let totp = TOTP.random()
        let sealed = try context.environment.secrets.seal(totp.secret, purpose: TwoFactor.purpose(id))
        try PendingTwoFactor.store(sealed, for: id, tx, now: context.now)
        let url = totp.url(account: user.email, issuer: Self.issuer)
        return Output(
            secret: totp.text, otpauthUrl: url, qrCodeDataUrl: try QRCode.dataURL(url),
            expiresAt: (context.now + PendingTwoFactor.lifetime).description)
    }
}

/// Turns two-factor sign-in on with the first code of the authenticator.
struct EnableTwoFactor: Command {
    static let name = "two_factor_setup_verify"
    static let title = "Turn two-factor sign-in on"
    static let summary =
        "Turn two-factor sign-in on with a code of the authenticator; shows the backup codes once."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let action = "user.2fa_enable"
    static let route = Route.post("2fa/setup/verify")
    static let bucket = RateBucket.authBootstrap
    static let secretInputs: Set = ["code"]
    static let answersSecrets = true

    @Input("The code that the app shows.", .length(6...10)) var code: String

    @Prepared var codes: BackupCodes?

    struct Output: Codable, Sendable {
        var enabled: Bool
        /// Ten, each for once.
        var backupCodes: [String]
    }

    /// Ten hashes are only worth making for a code that is right.
    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let id = try context.userID()
        let pending = try await db.read { db in
            try RateWindow.proof(of: id).requireRoom(db, now: context.now)
            return try PendingTwoFactor.find(id, db, now: context.now)
        }
        guard let pending else { throw TwoFactorProblem.isNotPending }
        if try step(pending, id, context) != nil { codes = try await BackupCodes.make() }
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try context.userID()
        // One after the other, so that a hundred codes at once are no more guesses than five.
        let user = try User.lock(id, tx)
        try RateWindow.proof(of: id).requireRoom(tx, now: context.now)
        guard let pending = try PendingTwoFactor.find(id, tx, now: context.now) else {
            throw TwoFactorProblem.isNotPending
        }
        guard let step = try step(pending, id, context), let codes else {
            try RateWindow.proof(of: id).take(tx, now: context.now)
            throw KeptRefusal(TwoFactorProblem.wrongCode)
        }
        guard try TwoFactor.enable(id, sealed: pending.sealed, step: step, tx, context) else {
            throw TwoFactorProblem.isOn
        }
        try PendingTwoFactor.remove(id, tx)
        try codes.store(for: id, tx, context)
        if let user { try tx.send(AuthMail.twoFactorChanged(user, isOn: true, context)) }
        return Output(enabled: true, backupCodes: codes.codes)
    }

    private func step(_ pending: PendingTwoFactor, _ user: ULID, _ context: Context) throws -> Int64? {
        try pending.totp(user, context).step(
            of: code, at: context.now, window: context.configuration.totpValidWindow)
    }
}

/// Refusals that several calls share.
enum TwoFactorProblem {
    static var isOn: Failure {
        Failure(
            .conflict, "Two-factor sign-in is on already.", hint: "Turn it off first: POST 2fa/disable.",
            reason: "two_factor_enabled")
    }
    static var isOff: Failure {
        Failure(
            .conflict, "Two-factor sign-in is off.", hint: "POST 2fa/setup/initiate begins it.",
            reason: "two_factor_disabled")
    }
    static var isNotPending: Failure {
        Failure(
            .conflict, "No set-up is under way, or it has taken longer than 10 minutes.",
            hint: "POST 2fa/setup/initiate begins it.", reason: "two_factor_not_pending")
    }
    static var wrongCode: Failure {
        var failure = Failure.invalid([.init("code", "is not the code that the app shows now")])
        failure.reason = "invalid_code"
        return failure
    }
}
