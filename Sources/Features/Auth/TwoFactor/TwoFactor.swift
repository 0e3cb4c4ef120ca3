package import Kernel
package import Storage

/// One row of `totp_secrets`: the authenticator of somebody who turned two-factor sign-in on.
package struct TwoFactor: Sendable, RowDecodable {
    package var userID: ULID
    package var enabledAt: Instant
    package var lastUsedAt: Instant?
    /// The step of the last code that was taken; no earlier one is taken again (RFC 6238 §5.2).
    var lastStep: Int64
    private let secret: String

    private static let columns: SQL = "user_id, enabled_at, last_used_at, last_step, secret"

    package init(row: Row) throws {
        userID = try row.get(at: 0)
        enabledAt = try row.get(at: 1)
        lastUsedAt = try row.get(at: 2)
        lastStep = try row.get(at: 3)
        secret = try row.get(at: 4)
    }

    package static func find(_ user: ULID, _ db: Snapshot) throws -> TwoFactor? {
        try db.one("SELECT \(columns) FROM totp_secrets WHERE user_id = \(user)")
    }

    /// The step whose code it is and that has not been used; nil for any other text.
    func step(of code: String, _ context: Context) throws -> Int64? {
        let totp = TOTP(secret: try context.environment.secrets.open(secret, purpose: Self.purpose(userID)))
        let step = totp.step(
            of: code, at: context.now, window: context.configuration.totpValidWindow)
        return step.flatMap { $0 > lastStep ? $0 : nil }
    }

    /// Uses a step up: of two who present the same code one has it.
    static func use(step: Int64, of user: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        try tx.run(
            """
            UPDATE totp_secrets SET last_step = \(step), last_used_at = \(context.now)
            WHERE user_id = \(user) AND last_step < \(step)
            """
        ).affected > 0
    }

    /// Turns it on with a secret that is sealed already.
    ///
    /// - Returns: false when it was on before.
    static func enable(
        _ user: ULID, sealed: String, step: Int64, _ tx: Transaction, _ context: Context
    ) throws -> Bool {
        try tx.run(
            """
            INSERT INTO totp_secrets (user_id, secret, enabled_at, last_used_at, last_step)
            VALUES (\(user), \(sealed), \(context.now), \(context.now), \(step)) ON CONFLICT DO NOTHING
            """
        ).affected > 0
    }

    /// Turns it off and forgets everything of it.
    ///
    /// - Returns: false when it was off.
    @discardableResult
    package static func disable(_ user: ULID, _ tx: Transaction) throws -> Bool {
        for table in ["totp_pending", "backup_codes", "trusted_devices"] {
            try tx.run("DELETE FROM \(identifier: table) WHERE user_id = \(user)")
        }
        return try tx.run("DELETE FROM totp_secrets WHERE user_id = \(user)").affected > 0
    }

    /// What a secret is sealed for.
    static func purpose(_ user: ULID) -> String { "totp/\(user)" }
}
