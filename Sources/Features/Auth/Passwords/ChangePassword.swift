import Kernel
import Storage

/// Changes one's password, and signs out everywhere else.
struct ChangePassword: Command {
    static let name = "auth_change_password"
    static let title = "Change one's password"
    static let summary =
        "Change one's password; all other sessions end, and this one goes on with new tokens."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.changeOwnPassword)
    static let action = "user.password_change"
    static let route = Route.post("auth/change-password")
    static let bucket = RateBucket.authBootstrap
    static let answersSecrets = true

    @Input("The present password.", .length(1...1_000)) var currentPassword: String
    @Input("The new password.", .length(1...1_000)) var newPassword: String

    @Prepared var stepUp: StepUp?
    @Prepared var hash: PasswordHash?
    @Prepared var credentials: Credentials?
    var subject: Subject? { stepUp?.subject }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let id = try context.userID()
        guard newPassword != currentPassword else {
            throw Failure.invalid([.init("new_password", "must not be the present one")])
        }
        try PasswordRules.check(newPassword, email: context.actor.email ?? "", field: "new_password")
        stepUp = try await StepUp.judge(password: currentPassword, db, context)
        guard stepUp?.isPlausible == true else { return }
        hash = try await PasswordHash.make(newPassword)
        credentials = try await Credentials.make(for: id, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> SignInResult {
        try stepUp.required.require(tx, context)
        guard let hash, let credentials, let user = try User.lock(credentials.user, tx) else {
            throw Failure(.internal, "The new password was not prepared.")
        }
        try user.setPassword(hash, ending: .passwordChanged, tx, context)
        try UserSession.begin(credentials, tx, context)
        return SignInResult(credentials, at: context.now)
    }

    static func attachments(of output: SignInResult) -> Attachments { output.attachments }
}
