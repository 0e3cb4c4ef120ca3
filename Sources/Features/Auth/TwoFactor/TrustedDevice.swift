import Kernel
import Storage

/// One row of `trusted_devices`: a browser that does not need the second factor for a while.
struct TrustedDevice: Sendable, RowDecodable {
    static let lifetime = Duration.seconds(30 * 86_400)
    static let prefix = "itd_"
    private static let maximumName = 100

    var id: ULID
    var name: String
    var ip: String?
    var createdAt: Instant
    var expiresAt: Instant
    var lastUsedAt: Instant?

    private static let columns: SQL = "id, name, ip, created_at, expires_at, last_used_at"

    init(row: Row) throws {
        id = try row.get(at: 0)
        name = try row.get(at: 1)
        ip = try row.get(at: 2)
        createdAt = try row.get(at: 3)
        expiresAt = try row.get(at: 4)
        lastUsedAt = try row.get(at: 5)
    }

    static func random() -> String { prefix + Secrets.random(bytes: 32) }

    /// The device that holds this token, if it is this user's and still trusted.
    static func find(_ token: String, of user: ULID, _ db: Snapshot, now: Instant) throws -> TrustedDevice? {
        guard token.hasPrefix(prefix) else { return nil }
        return try db.one(
            """
            SELECT \(columns) FROM trusted_devices
            WHERE token_hash = \(Secrets.hash(token)) AND user_id = \(user) AND expires_at > \(now)
            """)
    }

    static func list(_ user: ULID, _ db: Snapshot, now: Instant) throws -> [TrustedDevice] {
        try db.all(
            """
            SELECT \(columns) FROM trusted_devices WHERE user_id = \(user) AND expires_at > \(now)
            ORDER BY id DESC LIMIT 100
            """)
    }

    static func add(_ token: String, for user: ULID, _ tx: Transaction, _ context: Context) throws {
        let agent = UntrustedText.cleaned(context.userAgent ?? "", maximumCharacters: maximumName)
        try tx.run(
            """
            INSERT INTO trusted_devices (id, user_id, token_hash, name, ip, user_agent, created_at, expires_at)
            VALUES (\(context.newID()), \(user), \(Secrets.hash(token)), \(agent.isEmpty ? "Unknown" : agent), \
            \(context.ip), \(context.userAgent.map { String($0.prefix(500)) }), \(context.now), \
            \(context.now + lifetime))
            """)
    }

    static func touch(_ id: ULID, _ tx: Transaction, now: Instant) throws {
        try tx.run("UPDATE trusted_devices SET last_used_at = \(now) WHERE id = \(id)")
    }

    /// - Returns: false when the user has no such device.
    static func remove(_ id: ULID, of user: ULID, _ tx: Transaction) throws -> Bool {
        try tx.run("DELETE FROM trusted_devices WHERE id = \(id) AND user_id = \(user)").affected > 0
    }
}
