package import Kernel
package import Storage

/// One row of `guest_sessions`: somebody who looks around before signing in.
package struct GuestSession: Sendable {
    package static let lifetime = Duration.seconds(30 * 86_400)

    /// What is done for a guest who signs in, in that transaction: other features carry
    /// over what the guest did.
    package static let conversions:
        [@Sendable (_ guest: ULID, _ user: ULID, Transaction, Context) throws -> Void] =
            []

    package static func create(_ tx: Transaction, _ context: Context) throws -> ULID {
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO guest_sessions (id, created_at, expires_at)
            VALUES (\(id), \(context.now), \(context.now + lifetime))
            """)
        return id
    }

    /// Gives what a guest did to a user, once. An id that is not known, or belongs to
    /// somebody by now, is passed over: nobody fails to sign in for it.
    static func convert(_ guest: ULID, to user: ULID, _ tx: Transaction, _ context: Context) throws {
        let taken = try tx.run(
            """
            UPDATE guest_sessions SET converted_user_id = \(user), converted_at = \(context.now)
            WHERE id = \(guest) AND converted_user_id IS NULL AND expires_at > \(context.now)
            """
        ).affected
        guard taken > 0 else { return }
        for conversion in conversions { try conversion(guest, user, tx, context) }
    }
}
