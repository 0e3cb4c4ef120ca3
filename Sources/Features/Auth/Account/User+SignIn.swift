import JSON
import Kernel
package import Storage

// What signing in reads and writes of `users`.
extension User {
    /// A suspended instructor may sign in, and see why; a deactivated account may not, and
    /// whoever was deleted or anonymized never again: their address is nobody's.
    package var canSignIn: Bool { isActive && accountStatus != .deactivated && deletedAt == nil }
    /// The same, asked of the rows of `users`.
    static let canSignIn: SQL = "is_active AND account_status <> 'deactivated' AND deleted_at IS NULL"

    /// Whether tokens of that moment were declared dead since, all at once.
    package func isDead(tokenOf issuedAt: Instant) -> Bool { tokensValidAfter.map { issuedAt < $0 } ?? false }

    /// The person as whoever calls.
    func actor(session: ULID?, _ db: Snapshot) throws -> Actor {
        try Access.of(id, db).actor(self, sessionID: session?.description)
    }

    /// Keeps the same password with today's parameters.
    func rehash(_ hash: String, _ tx: Transaction) throws {
        try tx.run("UPDATE users SET hashed_password = \(hash) WHERE id = \(id)")
    }

    func signedIn(_ tx: Transaction, _ context: Context) throws {
        try tx.run("UPDATE users SET last_login_at = \(context.now) WHERE id = \(id)")
    }

    /// Sets a new password, ends every session and every older token, and tells the owner.
    func setPassword(
        _ hash: PasswordHash, ending reason: SessionEnd, _ tx: Transaction, _ context: Context
    ) throws {
        try tx.run(
            """
            UPDATE users SET hashed_password = \(hash.text), tokens_valid_after = \(context.now), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        try tx.run(
            """
            UPDATE password_reset_tokens SET used_at = \(context.now) WHERE user_id = \(id) AND used_at IS NULL
            """)
        try tx.run("DELETE FROM trusted_devices WHERE user_id = \(id)")
        try UserSession.endAll(of: id, reason, tx, now: context.now)
        try tx.send(AuthMail.passwordChanged(self, context))
    }

    func setPhone(_ number: String, isVerified: Bool, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE users SET phone = \(number), phone_verified = \(isVerified), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        try tx.audit(
            "user.update", Subject("user", id.description),
            changes: changes(
                from: [
                    "phone": phone.map { .string($0) } ?? .null, "phone_verified": .bool(isPhoneVerified),
                ],
                to: ["phone": .string(number), "phone_verified": .bool(isVerified)]))
    }

    /// Stores what people may change of themselves, and what they changed.
    func storeProfile(from before: User, _ tx: Transaction, _ context: Context) throws {
        let difference = changes(from: before.profile, to: profile)
        guard !difference.isEmpty else { return }
        try tx.run(
            """
            UPDATE users SET first_name = \(firstName), last_name = \(lastName), zip_code = \(zipCode), \
            timezone = \(timezone), updated_at = \(context.now) WHERE id = \(id)
            """)
        try tx.audit("user.update", Subject("user", id.description), changes: difference)
    }

    private var profile: JSONObject {
        [
            "first_name": .string(firstName), "last_name": .string(lastName), "zip_code": .string(zipCode),
            "timezone": .string(timezone),
        ]
    }
}
