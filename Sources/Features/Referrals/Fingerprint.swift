package import Kernel
package import Storage

/// What tells that two accounts are one person's: addresses and devices, of which
/// only hashes are kept.
package struct Fingerprint: Sendable {
    package var ip: String?
    /// What the client calls its device.
    package var device: String?

    package init(ip: String?, device: String?) {
        self.ip = ip.map(Self.hash)
        self.device = device.map(Self.hash)
    }

    static func hash(_ text: String) -> String { Secrets.hash("referral/\(text)") }

    private var parts: [(kind: String, hash: String)] {
        [("ip", ip), ("device", device)].compactMap { kind, hash in hash.map { (kind, $0) } }
    }

    /// Notes that the user was seen with it.
    package func note(_ user: ULID, _ tx: Transaction, _ context: Context) throws {
        let rows: [SQL] = parts.map { "(\(user), \($0.kind), \($0.hash), \(context.now))" }
        try tx.runMany(
            SQL.inserts(
                "INSERT INTO referral_fingerprints (user_id, kind, hash, seen_at) VALUES", rows,
                " ON CONFLICT (user_id, kind, hash) DO UPDATE SET seen_at = excluded.seen_at"))
    }

    /// Whether the user was ever seen with a part of it.
    package func isKnown(of user: ULID, _ db: Snapshot) throws -> Bool {
        guard !parts.isEmpty else { return false }
        let either: [SQL] = parts.map { "(kind = \($0.kind) AND hash = \($0.hash))" }
        return try db.value(
            """
            SELECT 1 FROM referral_fingerprints WHERE user_id = \(user)
            AND (\(SQL.joined(either, separator: " OR "))) LIMIT 1
            """, as: Int.self) != nil
    }
}
