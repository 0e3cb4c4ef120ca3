import Kernel
import Storage

/// One row of `phone_codes`: six digits on their way to a telephone.
struct PhoneCode: Sendable, RowDecodable {
    static let lifetime = Duration.seconds(600)
    static let maximumAttempts = 5

    var phone: String
    var attempts: Int
    private let sealed: String

    init(row: Row) throws {
        phone = try row.get(at: 0)
        sealed = try row.get(at: 1)
        attempts = try row.get(at: 2)
    }

    /// The code of a user that is still good, held until the end of the transaction.
    static func hold(_ user: ULID, _ tx: Transaction, now: Instant) throws -> PhoneCode? {
        try tx.one(
            """
            SELECT phone, sealed_code, attempts FROM phone_codes
            WHERE user_id = \(user) AND expires_at > \(now) AND attempts < \(maximumAttempts) \(.forUpdate)
            """)
    }

    /// Makes a code, in place of the one before.
    static func make(for user: ULID, phone: String, _ tx: Transaction, _ context: Context) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = String(Int.random(in: 0..<1_000_000, using: &generator))
        let code = String(repeating: "0", count: 6 - digits.count) + digits
        // Six digits are found from any hash; only the key keeps them.
        let sealed = try context.environment.secrets.seal(Array(code.utf8), purpose: purpose(user))
        try tx.run(
            """
            INSERT INTO phone_codes (user_id, phone, sealed_code, created_at, expires_at, attempts)
            VALUES (\(user), \(phone), \(sealed), \(context.now), \(context.now + lifetime), 0)
            ON CONFLICT (user_id) DO UPDATE SET phone = excluded.phone, sealed_code = excluded.sealed_code, \
            created_at = excluded.created_at, expires_at = excluded.expires_at, attempts = 0
            """)
        return code
    }

    func matches(_ code: String, of user: ULID, _ context: Context) throws -> Bool {
        let stored = try context.environment.secrets.open(sealed, purpose: Self.purpose(user))
        return Secrets.isEqual(String(decoding: stored, as: UTF8.self), code)
    }

    static func countAttempt(_ user: ULID, _ tx: Transaction) throws {
        try tx.run("UPDATE phone_codes SET attempts = attempts + 1 WHERE user_id = \(user)")
    }

    static func remove(_ user: ULID, _ tx: Transaction) throws {
        try tx.run("DELETE FROM phone_codes WHERE user_id = \(user)")
    }

    private static func purpose(_ user: ULID) -> String { "phone/\(user)" }
}
