package import Kernel
package import Storage

extension User {
    /// What is shown instead of the name of somebody whose account is gone.
    package static let formerName = "Former member"

    /// How people are named to others, in one statement for any number.
    package static func names(_ ids: [ULID], _ db: Snapshot) throws -> [ULID: String] {
        let rows = try db.rows("SELECT id, first_name, last_name, deleted_at FROM users WHERE id \(in: ids)")
        var names: [ULID: String] = [:]
        for row in rows {
            let isGone = try row.get(at: 3, as: Instant?.self) != nil
            names[try row.get(at: 0)] =
                isGone ? formerName : privacyName(try row.get(at: 1), try row.get(at: 2))
        }
        return names
    }

    /// Whether the text is part of the name or the address of `users u`.
    package static func matches(_ text: String) -> SQL {
        let name = SQL.contains("u.first_name || ' ' || u.last_name", text)
        return "(\(SQL.contains("u.email", text)) OR \(name))"
    }
}
