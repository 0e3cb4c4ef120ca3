import Kernel
import Storage

/// A person's backup codes, hashed before the transaction that stores them.
///
/// The codes of one set share a salt, so that a code that is presented is hashed once
/// and not once per code; each has 60 random bits, so they do not help to guess one
/// another.
struct BackupCodes: Sendable {
    /// To be shown once.
    let codes: [String]
    private let hashes: [String]

    static func make() async throws -> BackupCodes {
        let salt = PasswordHash.newSalt()
        let codes = (0..<BackupCode.count).map { _ in BackupCode.random() }
        var hashes: [String] = []
        for code in codes {
            hashes.append(try await PasswordHash.make(BackupCode.normalized(code) ?? code, salt: salt).text)
        }
        return BackupCodes(codes: codes, hashes: hashes)
    }

    /// Replaces the person's codes.
    func store(for user: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run("DELETE FROM backup_codes WHERE user_id = \(user)")
        let rows: [SQL] = hashes.map { "(\(context.newID()), \(user), \($0), \(context.now))" }
        try tx.runMany(
            SQL.inserts("INSERT INTO backup_codes (id, user_id, code_hash, created_at) VALUES", rows))
    }

    /// The stored form of a code that somebody typed; nil when it cannot be one of theirs.
    static func hash(_ text: String, of user: ULID, _ db: Reader) async throws -> String? {
        guard let code = BackupCode.normalized(text) else { return nil }
        let first: String? = try await db.read { db in
            try db.value("SELECT code_hash FROM backup_codes WHERE user_id = \(user) LIMIT 1")
        }
        guard let first, let salt = PasswordHash(stored: first).salt else { return nil }
        return try await PasswordHash.make(code, salt: salt).text
    }

    /// Uses a code up: of any number who present it at once one has it.
    static func use(_ hash: String, of user: ULID, _ tx: Transaction, now: Instant) throws -> Bool {
        try tx.run(
            """
            UPDATE backup_codes SET used_at = \(now)
            WHERE user_id = \(user) AND code_hash = \(hash) AND used_at IS NULL
            """
        ).affected > 0
    }

    static func left(_ user: ULID, _ db: Snapshot) throws -> Int {
        try db.value("SELECT COUNT(*) FROM backup_codes WHERE user_id = \(user) AND used_at IS NULL") ?? 0
    }
}
