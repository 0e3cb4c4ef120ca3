import Kernel
import Storage

extension User {
    /// Runs what takes something from this person, whose row is held; refused when with it
    /// goes the last administrator who can sign in, for nobody could undo it.
    ///
    /// A suspended administrator still signs in, so suspending the last one is no loss.
    ///
    /// - Throws: ``Kernel/Failure/Code/conflict`` with the reason `last_administrator`.
    @discardableResult
    func leavingAnAdministrator<Value>(_ tx: Transaction, _ change: () throws -> Value) throws -> Value {
        guard canSignIn, try Access.of(id, tx).has(.admin) else { return try change() }
        // Two who leave at once would each count the other.
        try tx.lock("user_roles.admin")
        let value = try change()
        let isAnybodyLeft: Int? = try tx.value(
            """
            SELECT 1 FROM user_roles WHERE role = 'admin' AND user_id IN (
                SELECT id FROM users WHERE \(Self.canSignIn)) LIMIT 1
            """)
        guard isAnybodyLeft != nil else {
            throw Failure(
                .conflict, "This is the last administrator.",
                hint: "Make somebody else an administrator first.", reason: "last_administrator")
        }
        return value
    }
}
