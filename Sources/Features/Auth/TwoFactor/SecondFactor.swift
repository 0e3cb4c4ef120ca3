import Kernel
import Storage

/// A second factor that somebody presented, judged before the transaction that uses it up.
enum SecondFactor: Sendable {
    case wrong
    /// The code of a step of the authenticator.
    case step(Int64)
    /// The hash of a backup code; whether it is theirs is found when it is used.
    case backupCode(String)

    /// - Parameter code: of the authenticator, or a backup code in its place.
    static func judge(
        _ code: String?, backup: String? = nil, of factor: TwoFactor, _ db: Reader, _ context: Context
    ) async throws -> SecondFactor {
        if let code, let step = try factor.step(of: code, context) { return .step(step) }
        guard let text = backup ?? code,
            let hash = try await BackupCodes.hash(text, of: factor.userID, db)
        else { return .wrong }
        return .backupCode(hash)
    }

    /// - Returns: false when it is wrong or somebody else used it first.
    func use(of user: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        switch self {
        case .wrong: false
        case .step(let step): try TwoFactor.use(step: step, of: user, tx, context)
        case .backupCode(let hash): try BackupCodes.use(hash, of: user, tx, now: context.now)
        }
    }
}
