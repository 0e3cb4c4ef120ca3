package import Kernel
package import Storage

/// Somebody who is about to have an account, as the steps of a registration see them.
package struct NewAccount: Sendable {
    /// The row that the transaction has just added.
    package var user: User
    /// The address as it was given; ``user`` may have another one, see ``RegisterUser``.
    package var email: String
    package var role: UserRole
    package var inviteCode: String?
    package var guestSessionID: ULID?
    /// An operator makes the account, so nobody had to invite the person.
    package var isMadeByOperator: Bool

    package init(
        user: User, email: String, role: UserRole, inviteCode: String? = nil, guestSessionID: ULID? = nil,
        isMadeByOperator: Bool = false
    ) {
        self.user = user
        self.email = email
        self.role = role
        self.inviteCode = inviteCode
        self.guestSessionID = guestSessionID
        self.isMadeByOperator = isMadeByOperator
    }
}

/// What another feature does for a new account, in the transaction that makes it.
/// Whatever it throws refuses the registration as a whole.
///
/// A step must do nothing but write to the transaction: for an address that has an
/// account already everything is rehearsed and undone, so that what a step refuses is
/// refused for both.
package typealias RegistrationStep = @Sendable (NewAccount, Transaction, Context) throws -> Void
