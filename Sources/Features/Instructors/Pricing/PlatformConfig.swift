package import JSON
package import Kernel
package import Storage

/// One row of `platform_config`: a part of the platform's settings that
/// administrators change while it runs.
package struct PlatformConfig: Sendable, RowDecodable {
    package var key: String
    package var value: JSONValue
    package var updatedAt: Instant

    package init(row: Row) throws {
        key = try row.get(at: 0)
        value = try JSONValue(parsing: row.get(at: 1, as: String.self))
        updatedAt = try row.get(at: 2)
    }

    package static func find(_ key: String, _ db: Snapshot) throws -> PlatformConfig? {
        try db.one("SELECT key, value_json, updated_at FROM platform_config WHERE key = \(key)")
    }

    /// The stored value as what it means.
    package func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONCoding.decode(type, from: value)
    }

    /// Takes the place of what is stored, with an entry `config.update` of what differs.
    /// - Returns: whether anything does.
    @discardableResult
    package static func store<Value: Codable & Sendable>(
        _ key: String, _ new: Value, instead old: Value, _ tx: Transaction, _ context: Context
    ) throws -> Bool {
        let (before, after) = (try JSONCoding.value(old), try JSONCoding.value(new))
        let difference = changes(from: before.objectValue ?? [:], to: after.objectValue ?? [:])
        guard !difference.isEmpty else { return false }
        try tx.run(
            """
            INSERT INTO platform_config (key, value_json, updated_at)
            VALUES (\(key), \(after.text), \(context.now))
            ON CONFLICT (key) DO UPDATE SET value_json = excluded.value_json, updated_at = excluded.updated_at
            """)
        try tx.audit("config.update", Subject("config", key), changes: difference)
        return true
    }
}
