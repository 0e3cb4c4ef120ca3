package import Kernel
package import Storage

/// Somebody whom an invite is to go to, as a preview shows them.
package struct InviteRecipient: Sendable, Codable, Hashable {
    package var email: String
    /// Whether they have an account, and which.
    package var existsInSystem: Bool
    package var userID: ULID?

    /// Each address once, in the order given; one statement for any number.
    package static func of(_ emails: [String], _ db: Snapshot) throws -> [InviteRecipient] {
        var seen: Set<String> = []
        let addresses = emails.map { User.normalized(email: $0) }.filter { seen.insert($0).inserted }
        var known: [String: ULID] = [:]
        for row in try db.rows("SELECT email, id FROM users WHERE email \(in: addresses)") {
            known[try row.get(at: 0)] = try row.get(at: 1)
        }
        return addresses.map {
            InviteRecipient(email: $0, existsInSystem: known[$0] != nil, userID: known[$0])
        }
    }
}
