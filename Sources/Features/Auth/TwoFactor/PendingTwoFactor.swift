import Kernel
import Storage

/// One row of `totp_pending`: a secret that was shown and waits for its first code.
struct PendingTwoFactor: Sendable, RowDecodable {
    static let lifetime = Duration.seconds(600)

    var expiresAt: Instant
    /// Sealed as it will be kept.
    let sealed: String

    init(row: Row) throws {
        sealed = try row.get(at: 0)
        expiresAt = try row.get(at: 1)
    }

    static func find(_ user: ULID, _ db: Snapshot, now: Instant) throws -> PendingTwoFactor? {
        try db.one(
            "SELECT secret, expires_at FROM totp_pending WHERE user_id = \(user) AND expires_at > \(now)")
    }

    /// Replaces the one before; what is on stays on.
    static func store(_ sealed: String, for user: ULID, _ tx: Transaction, now: Instant) throws {
        try tx.run(
            """
            INSERT INTO totp_pending (user_id, secret, created_at, expires_at)
            VALUES (\(user), \(sealed), \(now), \(now + lifetime))
            ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, \
            created_at = excluded.created_at, expires_at = excluded.expires_at
            """)
    }

    static func remove(_ user: ULID, _ tx: Transaction) throws {
        try tx.run("DELETE FROM totp_pending WHERE user_id = \(user)")
    }

    func totp(_ user: ULID, _ context: Context) throws -> TOTP {
        TOTP(secret: try context.environment.secrets.open(sealed, purpose: TwoFactor.purpose(user)))
    }
}
