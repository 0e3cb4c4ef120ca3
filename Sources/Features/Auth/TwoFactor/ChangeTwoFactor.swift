import Kernel
import Storage

/// Turns two-factor sign-in off; the password or a code is asked for.
struct DisableTwoFactor: Command {
    static let name = "two_factor_disable"
    static let title = "Turn two-factor sign-in off"
    static let summary = "Turn two-factor sign-in off, and forget its secret, codes and devices."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let action = "user.2fa_disable"
    static let route = Route.post("2fa/disable")
    static let bucket = RateBucket.authBootstrap
    static let secretInputs: Set = ["code"]

    @Input("One's password.", .length(1...1_000)) var currentPassword: String?
    @Input("A code of the authenticator, instead of the password.", .length(6...20)) var code: String?

    @Prepared var stepUp: StepUp?

    struct Output: Codable, Sendable {
        var enabled: Bool
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        stepUp = try await StepUp.judge(password: currentPassword, code: code, db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try context.userID()
        try stepUp.required.require(tx, context)
        guard try TwoFactor.disable(id, tx) else { throw TwoFactorProblem.isOff }
        if let user = try User.find(id, tx) {
            try tx.send(AuthMail.twoFactorChanged(user, isOn: false, context))
        }
        return Output(enabled: false)
    }
}

/// Replaces the backup codes; the password or a code is asked for.
struct RegenerateBackupCodes: Command {
    static let name = "two_factor_regenerate_backup_codes"
    static let title = "Make new backup codes"
    static let summary = "Make ten new backup codes, shown once; the old ones are no longer good."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let action = "user.2fa_backup_codes"
    static let route = Route.post("2fa/regenerate-backup-codes")
    static let bucket = RateBucket.authBootstrap
    static let secretInputs: Set = ["code"]
    static let answersSecrets = true

    @Input("One's password.", .length(1...1_000)) var currentPassword: String?
    @Input("A code of the authenticator, instead of the password.", .length(6...20)) var code: String?

    @Prepared var stepUp: StepUp?
    @Prepared var codes: BackupCodes?

    struct Output: Codable, Sendable {
        var backupCodes: [String]
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        stepUp = try await StepUp.judge(password: currentPassword, code: code, db, context)
        if stepUp?.isPlausible == true { codes = try await BackupCodes.make() }
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try context.userID()
        try stepUp.required.require(tx, context)
        guard try TwoFactor.find(id, tx) != nil, let codes else { throw TwoFactorProblem.isOff }
        try codes.store(for: id, tx, context)
        return Output(backupCodes: codes.codes)
    }
}

extension Optional where Wrapped == StepUp {
    /// What `prepare` put there.
    var required: StepUp {
        get throws {
            guard let self else { throw Failure(.internal, "The proof was not prepared.") }
            return self
        }
    }
}
