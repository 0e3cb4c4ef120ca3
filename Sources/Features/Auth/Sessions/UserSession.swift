package import Kernel
package import Storage

/// Why a session ended before its time; the values of `user_sessions.revoked_reason`.
package enum SessionEnd: String, Sendable, CaseIterable, SQLBindable, SQLDecodable {
    case logout, revoked
    /// A refresh token was presented a second time: one of its two holders stole it.
    case refreshReused = "refresh_reused"
    case passwordChanged = "password_changed"
    case passwordReset = "password_reset"
    /// The account was suspended, deactivated or deleted.
    case account
}

/// One row of `user_sessions`: a person on a device, from signing in to signing out.
///
/// It is what access tokens name and what refresh tokens renew; when it ends, all of
/// them are dead at once.
package struct UserSession: Sendable, RowDecodable {
    /// Of a session that is not renewed, and of a refresh token.
    package static let lifetime = Duration.seconds(30 * 86_400)

    package var id: ULID
    package var userID: ULID
    package var createdAt: Instant
    package var lastUsedAt: Instant
    package var expiresAt: Instant
    package var revokedAt: Instant?
    package var ip: String?
    package var userAgent: String?

    static let columns: SQL = """
        id, user_id, created_at, last_used_at, expires_at, revoked_at, ip, user_agent
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        userID = try row.get(at: 1)
        createdAt = try row.get(at: 2)
        lastUsedAt = try row.get(at: 3)
        expiresAt = try row.get(at: 4)
        revokedAt = try row.get(at: 5)
        ip = try row.get(at: 6)
        userAgent = try row.get(at: 7)
    }

    package func isOpen(at now: Instant) -> Bool { revokedAt == nil && expiresAt > now }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> UserSession? {
        try db.one("SELECT \(columns) FROM user_sessions WHERE id = \(id)")
    }

    /// Those of a user that are open, newest first. A person has few; the limit bounds the worst.
    package static func open(of user: ULID, _ db: Snapshot, now: Instant) throws -> [UserSession] {
        try db.all(
            """
            SELECT \(columns) FROM user_sessions
            WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > \(now) ORDER BY id DESC LIMIT 100
            """)
    }

    /// Stores the session whose tokens were made before the transaction.
    static func begin(_ credentials: Credentials, _ tx: Transaction, _ context: Context) throws {
        let now = context.now
        try tx.runMany([
            """
            INSERT INTO user_sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
            VALUES (\(credentials.session), \(credentials.user), \(now), \(now), \(now + lifetime), \
            \(context.ip), \(context.userAgent.map { String($0.prefix(500)) }))
            """,
            RefreshToken.insertion(credentials, now),
        ])
    }

    /// Lets a session go on with its next refresh token.
    static func renew(_ credentials: Credentials, _ tx: Transaction, _ context: Context) throws {
        let now = context.now
        try tx.runMany([
            """
            UPDATE user_sessions SET last_used_at = \(now), expires_at = \(now + lifetime)
            WHERE id = \(credentials.session)
            """,
            RefreshToken.insertion(credentials, now),
        ])
    }

    /// - Returns: false when it had ended before.
    @discardableResult
    package static func end(_ id: ULID, _ reason: SessionEnd, _ tx: Transaction, now: Instant) throws -> Bool
    {
        try tx.run(
            """
            UPDATE user_sessions SET revoked_at = \(now), revoked_reason = \(reason)
            WHERE id = \(id) AND revoked_at IS NULL
            """
        ).affected > 0
    }

    /// Ends every session of a user.
    ///
    /// - Returns: how many were open.
    @discardableResult
    package static func endAll(
        of user: ULID, _ reason: SessionEnd, _ tx: Transaction, now: Instant
    ) throws -> Int {
        Int(
            try tx.run(
                """
                UPDATE user_sessions SET revoked_at = \(now), revoked_reason = \(reason)
                WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > \(now)
                """
            ).affected)
    }
}
