import JSON
import Storage

/// The bytes that the seal covers: one JSON object per entry, keys in this
/// order, without white space. An exported line is exactly these bytes, so
/// anybody can recompute `SHA-256(0x00 || line)`.
package struct AuditLeaf: Sendable {
    package let bytes: [UInt8]

    package init(_ entry: AuditEntry, seq: Int) {
        var writer = JSONWriter(capacity: 700)
        writer.beginObject()
        writer.key("seq")
        writer.int(seq)
        Self.write("id", entry.id.description, &writer)
        Self.write("timestamp", entry.timestamp.description, &writer)
        Self.write("category", entry.category.rawValue, &writer)
        Self.write("actor_type", entry.actorType.rawValue, &writer)
        Self.write("actor_id", entry.actorID, &writer)
        Self.write("actor_email", entry.actorEmail, &writer)
        Self.write("actor_ip", entry.actorIP, &writer)
        Self.write("actor_user_agent", entry.actorUserAgent, &writer)
        Self.write("action", entry.action, &writer)
        Self.write("resource_type", entry.resourceType, &writer)
        Self.write("resource_id", entry.resourceID, &writer)
        Self.write("description", entry.description, &writer)
        Self.splice("changes", entry.changes, &writer)
        Self.splice("metadata", entry.metadata, &writer)
        Self.write("status", entry.status.rawValue, &writer)
        Self.write("error_message", entry.errorMessage, &writer)
        Self.write("request_id", entry.requestID, &writer)
        Self.write("trace_id", entry.traceID, &writer)
        Self.write("session_id", entry.sessionID, &writer)
        writer.endObject()
        bytes = writer.bytes
    }

    package var hash: MerkleHash { .leaf(bytes) }

    private static func write(_ key: String, _ value: String?, _ writer: inout JSONWriter) {
        writer.key(key)
        if let value { writer.string(value) } else { writer.null() }
    }

    private static func splice(_ key: String, _ json: String?, _ writer: inout JSONWriter) {
        writer.key(key)
        if let json { writer.raw(Array(json.utf8)) } else { writer.null() }
    }
}
