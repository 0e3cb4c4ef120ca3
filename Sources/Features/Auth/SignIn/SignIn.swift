import Kernel
import Storage

/// Signs in with the fields of OAuth's password form.
struct SignIn: Command {
    static let name = "auth_login"
    static let title = "Sign in"
    static let summary = "Sign in with an e-mail address and a password."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "user.login"
    static let route = Route.post("auth/login")
    static let acceptsForm = true
    static let bucket = RateBucket.authBootstrap

    @Input("The e-mail address.", .length(3...254)) var username: String
    @Input("The password.", .length(1...1_000)) var password: String
    @Input("Token of a solved captcha, when one was asked for.", .length(1...2_048)) var captchaToken: String?
    @Input("Token of a trusted device.", .length(1...200)) var trustedDeviceToken: String?

    @Prepared var attempt: SignInAttempt?
    var subject: Subject? { attempt?.subject }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        attempt = try await SignInAttempt.judge(
            email: username, password: password, captcha: captchaToken,
            device: trustedDeviceToken ?? context.credentials.deviceToken, db,
            context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> SignInResult {
        guard let attempt else { throw SignInAttempt.wrong }
        return try attempt.finish(guest: nil, tx, context)
    }

    static func verdict(on output: SignInResult) -> (status: AuditStatus, error: String?) { output.verdict }
    static func attachments(of output: SignInResult) -> Attachments { output.attachments }
}

/// Signs in and takes over what was done before as a guest.
struct SignInWithSession: Command {
    static let name = "auth_login_with_session"
    static let title = "Sign in from a guest session"
    static let summary = "Sign in with an e-mail address and a password, and keep what was done as a guest."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "user.login"
    static let route = Route.post("auth/login-with-session")
    static let bucket = RateBucket.authBootstrap

    @Input("The e-mail address.", .length(3...254)) var email: String
    @Input("The password.", .length(1...1_000)) var password: String
    @Input("The guest session.") var guestSessionID: ULID?
    @Input("Token of a solved captcha, when one was asked for.", .length(1...2_048)) var captchaToken: String?
    @Input("Token of a trusted device.", .length(1...200)) var trustedDeviceToken: String?

    @Prepared var attempt: SignInAttempt?
    var subject: Subject? { attempt?.subject }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        attempt = try await SignInAttempt.judge(
            email: email, password: password, captcha: captchaToken,
            device: trustedDeviceToken ?? context.credentials.deviceToken, db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> SignInResult {
        guard let attempt else { throw SignInAttempt.wrong }
        return try attempt.finish(guest: guestSessionID, tx, context)
    }

    static func verdict(on output: SignInResult) -> (status: AuditStatus, error: String?) { output.verdict }
    static func attachments(of output: SignInResult) -> Attachments { output.attachments }
}
