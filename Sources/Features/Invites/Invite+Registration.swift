import Kernel
import Storage

extension Invite {
    /// Uses up the invite that came with a registration, if one did. A code that cannot
    /// be used refuses the registration, as does none where instructors need one; nothing
    /// of it stays.
    package static let registrationStep: RegistrationStep = { account, tx, context in
        guard let code = account.inviteCode else {
            return try requireNone(account, tx)
        }
        try consume(
            code: code, email: account.email, user: account.user.id, role: account.role.rawValue, tx, context)
    }

    private static func requireNone(_ account: NewAccount, _ db: Snapshot) throws {
        guard account.role == .instructor, !account.isMadeByOperator, try BetaSettings.current(db).needsInvite
        else { return }
        throw Failure(
            .forbidden, "Instructors can join only with an invite at present.",
            hint: "Send the code of the invite as metadata.invite_code.", reason: "invite_required")
    }
}
