import JSON
import Storage

/// One table in the same database: (actor, operation, key) → request hash, result.
///
/// The same key with the same request gives the stored result; with another
/// request it is a conflict. Written in the command's own transaction, so a
/// crash leaves either both or neither. Kept for ``lifetime``.
enum Idempotency {
    static let lifetime = Duration.seconds(7 * 86_400)

    /// The stored answer of an earlier, identical call. One that has expired is
    /// forgotten, and its key is free again.
    static func lookUp(_ key: String, _ call: CallFingerprint, _ tx: Transaction, _ context: Context) throws
        -> [UInt8]?
    {
        let mine: SQL = "actor = \(call.actor) AND operation = \(call.operation) AND idempotency_key = \(key)"
        try tx.run("DELETE FROM idempotency_keys WHERE \(mine) AND expires_at <= \(context.now)")
        let row = try tx.rows("SELECT request_hash, result FROM idempotency_keys WHERE \(mine)").first
        guard let row else { return nil }
        guard try row["request_hash"] == call.argumentsHash else {
            throw Failure(
                .conflict, "The idempotency_key was used before for this operation with other arguments.",
                hint: "Use a new key for a new request.", reason: "idempotency_key_reused")
        }
        return try Array((row["result"] as String).utf8)
    }

    /// Stores the answer, and forgets a few that have expired. A concurrent call with the same key that commits
    /// first makes this a unique violation, and the whole command is undone.
    static func store(
        _ key: String, _ call: CallFingerprint, _ result: [UInt8], _ tx: Transaction, _ context: Context
    ) throws {
        try tx.run(
            """
            DELETE FROM idempotency_keys WHERE (actor, operation, idempotency_key) IN (
                SELECT actor, operation, idempotency_key FROM idempotency_keys
                WHERE expires_at <= \(context.now) LIMIT 20 \(.skipLocked))
            """)
        try tx.run(
            """
            INSERT INTO idempotency_keys (actor, operation, idempotency_key, request_hash, result, created_at, \
            expires_at)
            VALUES (\(call.actor), \(call.operation), \(key), \(call.argumentsHash), \
            \(String(decoding: result, as: UTF8.self)), \(context.now), \(context.now + lifetime))
            """)
    }

    /// Puts the answer as it became after its jobs in the place of the stored one.
    static func replace(_ key: String, _ call: CallFingerprint, _ result: [UInt8], _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE idempotency_keys SET result = \(String(decoding: result, as: UTF8.self))
            WHERE actor = \(call.actor) AND operation = \(call.operation) AND idempotency_key = \(key)
            """)
    }
}
