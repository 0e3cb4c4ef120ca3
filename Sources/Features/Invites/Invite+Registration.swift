import Kernel
import Storage

extension Invite {
    /// Uses up the invite that came with a registration, if one did. A code that cannot
    /// be used refuses the registration; nothing of it stays.
    package static let registrationStep: RegistrationStep = { account, tx, context in
        guard let code = account.inviteCode else { return }
        try consume(
            code: code, email: account.email, user: account.user.id, role: account.role.rawValue, tx, context)
    }
}
