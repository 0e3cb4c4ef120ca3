package import Storage

/// Writes sealed entries as lines, each exactly the bytes of its leaf.
package enum AuditExport {
    private static let chunk = 64 << 10
    /// ``AuditLog/columns`` of the joined entry.
    private static let columns: SQL = """
        a.id, a.timestamp, a.category, a.actor_type, a.actor_id, a.actor_email, a.actor_ip, a.actor_user_agent, \
        a.action, a.resource_type, a.resource_id, a.description, a.changes, a.metadata, a.status, \
        a.error_message, a.request_id, a.trace_id, a.session_id
        """

    /// Hands over whole lines in chunks, in order of their sequence numbers.
    package static func lines(upTo size: Int, _ db: Snapshot, _ write: ([UInt8]) throws -> Void) throws {
        var buffer: [UInt8] = []
        try db.forEachRow(
            """
            SELECT l.seq, \(columns) FROM audit_leaves l JOIN audit_logs a ON a.id = l.entry_id
            WHERE l.seq < \(size) ORDER BY l.seq
            """
        ) { row in
            buffer += AuditLeaf(try AuditEntry(row: row, from: 1), seq: try row.get(at: 0)).bytes
            buffer.append(0x0A)
            if buffer.count >= chunk {
                try write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        if !buffer.isEmpty { try write(buffer) }
    }
}
