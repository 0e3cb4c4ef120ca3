import Kernel
import Storage

/// One row of `refresh_tokens`: good for one renewal of its session.
///
/// A used one stays, so that a second use is noticed however long ago the first was
/// (RFC 9700 §4.14.2).
struct RefreshToken: Sendable, RowDecodable {
    static let prefix = "irt_"

    var session: ULID
    var expiresAt: Instant
    var usedAt: Instant?

    init(row: Row) throws {
        session = try row.get(at: 0)
        expiresAt = try row.get(at: 1)
        usedAt = try row.get(at: 2)
    }

    static func random() -> String { prefix + Secrets.random(bytes: 32) }

    static func find(_ text: String, _ db: Snapshot) throws -> RefreshToken? {
        guard text.hasPrefix(prefix) else { return nil }
        return try db.one(
            """
            SELECT session_id, expires_at, used_at FROM refresh_tokens
            WHERE token_hash = \(Secrets.hash(text))
            """)
    }

    /// - Returns: false when somebody else used it first.
    static func use(_ text: String, _ tx: Transaction, now: Instant) throws -> Bool {
        try tx.run(
            """
            UPDATE refresh_tokens SET used_at = \(now)
            WHERE token_hash = \(Secrets.hash(text)) AND used_at IS NULL
            """
        ).affected > 0
    }

    static func insertion(_ credentials: Credentials, _ now: Instant) -> SQL {
        """
        INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at)
        VALUES (\(Secrets.hash(credentials.refresh)), \(credentials.session), \(now), \
        \(now + UserSession.lifetime))
        """
    }
}
