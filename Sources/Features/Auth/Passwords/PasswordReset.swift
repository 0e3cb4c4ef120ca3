import Kernel
import Storage

/// One row of `password_reset_tokens`: a way back in for an hour, once.
struct PasswordReset: Sendable {
    static let lifetime = Duration.seconds(3_600)

    /// Makes a token; those before are no longer good.
    static func make(
        for user: ULID, _ tx: Transaction, _ context: Context
    ) throws -> (token: String, id: ULID) {
        let (token, id, now) = (Secrets.random(bytes: 32), context.newID(), context.now)
        try tx.runMany([
            """
            UPDATE password_reset_tokens SET used_at = \(now) WHERE user_id = \(user) AND used_at IS NULL
            """,
            """
            INSERT INTO password_reset_tokens (id, user_id, token_hash, created_at, expires_at)
            VALUES (\(id), \(user), \(Secrets.hash(token)), \(now), \(now + lifetime))
            """,
        ])
        return (token, id)
    }

    /// Whose token it is, if it is good.
    static func user(of token: String, _ db: Snapshot, now: Instant) throws -> User? {
        let id: ULID? = try db.value(
            """
            SELECT user_id FROM password_reset_tokens
            WHERE token_hash = \(Secrets.hash(token)) AND used_at IS NULL AND expires_at > \(now)
            """)
        let user = try id.flatMap { try User.find($0, db) }
        return user?.canSignIn == true ? user : nil
    }

    /// Uses a token up: of any number who present it one is told whose it is.
    static func use(_ token: String, _ tx: Transaction, now: Instant) throws -> ULID? {
        try tx.value(
            """
            UPDATE password_reset_tokens SET used_at = \(now)
            WHERE token_hash = \(Secrets.hash(token)) AND used_at IS NULL AND expires_at > \(now)
            RETURNING user_id
            """)
    }

    static var invalid: Failure {
        Failure(
            .notFound, "The link is not good, or has been used.",
            hint: "POST password-reset/request sends a new one.", reason: "invalid_reset_token")
    }
}
