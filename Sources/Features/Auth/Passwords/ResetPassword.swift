import Kernel
import Storage

/// Sends a link to choose a new password; says the same whoever asks.
struct RequestPasswordReset: Command {
    static let name = "password_reset_request"
    static let title = "Ask for a new password"
    static let summary = "Send a link to choose a new password, if the address has an account."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "user.password_reset_request"
    static let route = Route.post("password-reset/request")
    static let bucket = RateBucket.authBootstrap

    @Input("The e-mail address.", .length(3...254)) var email: String

    struct Output: Codable, Sendable {
        var message: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let email = User.normalized(email: email)
        for window in RateWindow.resetRequest(email: email, ip: context.ip) {
            try window.take(tx, now: context.now)
        }
        if let user = try User.find(email: email, tx), user.canSignIn {
            let (token, id) = try PasswordReset.make(for: user.id, tx, context)
            try tx.send(AuthMail.passwordReset(user, token: token, id: id, context))
        }
        return Output(message: "If the address has an account, a link is on its way to it.")
    }
}

/// Says whose link it is, so that the page can show it.
struct VerifyPasswordReset: Query {
    static let name = "password_reset_verify"
    static let title = "Look at a reset link"
    static let summary = "Whether a reset link is good, and for whom; the address is masked."
    static let audience = Audience.anyone
    static let route = Route.get("password-reset/verify/:token")
    static let bucket = RateBucket.resetVerify

    @Input("The token of the link.", .length(1...200)) var token: String

    struct Output: Codable, Sendable {
        var valid: Bool
        var email: String
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try await db.read { [token] in try PasswordReset.user(of: token, $0, now: context.now) }
        guard let user else { throw PasswordReset.invalid }
        return Output(valid: true, email: Recipient.masked(user.email))
    }
}

/// Chooses a new password with the token of a link.
struct ResetPassword: Command {
    static let name = "password_reset_confirm"
    static let title = "Choose a new password"
    static let summary = "Choose a new password with the token of a link; signs out everywhere."
    static let effect = Effect.reversible
    static let audience = Audience.anyone
    static let action = "user.password_reset"
    static let route = Route.post("password-reset/confirm")
    static let bucket = RateBucket.authBootstrap

    @Input("The token of the link.", .length(1...200)) var token: String
    @Input("The new password.", .length(1...1_000)) var newPassword: String

    /// Nil when ``problem`` is not.
    @Prepared var hash: PasswordHash?
    @Prepared var problem: Failure?

    struct Output: Codable, Sendable {
        var message: String
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let token = token
        let user = try await db.read { db in
            try RateWindow.resetConfirm(ip: context.ip).requireRoom(db, now: context.now)
            return try PasswordReset.user(of: token, db, now: context.now)
        }
        guard let user else {
            problem = PasswordReset.invalid
            return
        }
        do {
            try PasswordRules.check(newPassword, email: user.email, field: "new_password")
        } catch let failure as Failure {
            problem = failure
            return
        }
        hash = try await PasswordHash.make(newPassword)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        try RateWindow.resetConfirm(ip: context.ip).take(tx, now: context.now)
        if let problem { throw KeptRefusal(problem) }
        guard let hash, let known = try PasswordReset.user(of: token, tx, now: context.now),
            // The person first, as everything that takes their tokens away does.
            let user = try User.lock(known.id, tx), user.canSignIn,
            try PasswordReset.use(token, tx, now: context.now) == user.id
        else { throw KeptRefusal(PasswordReset.invalid) }
        try user.setPassword(hash, ending: .passwordReset, tx, context)
        try SignInFailures.clear(user.email, tx)
        try tx.unit.become(user.actor(session: nil, tx))
        return Output(message: "The password is changed. Sign in with it.")
    }
}
