package import JSON
package import Storage

/// The values of `audit_logs.status`.
package enum AuditStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case success, failed, denied
}

/// Why an entry exists; what `audit_recent_admin_actions` tells apart.
///
/// Reads and automated work are recorded like everything else, but would bury
/// the handful of things that people did if they were not marked.
package enum AuditCategory: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable,
    SchemaDescribing
{
    /// An administrator or the platform on its behalf changed, tried to change, or was refused.
    case admin
    /// An administrator looked.
    case read
    /// A webhook or a job acted on its own.
    case automated
    /// A student or an instructor acted on their own affairs.
    case user
}

/// One line of the governance audit log, immutable from the moment it is made.
///
/// Columns as in `audit_logs`; free-form parts are already redacted and hold
/// canonical JSON text, which is what the seal covers.
package struct AuditEntry: Sendable, Hashable {
    package var id: ULID
    package var timestamp: Instant
    package var category: AuditCategory
    package var actorType: ActorType
    package var actorID: String?
    /// Of a program's owner. A person's entries name them by their id alone, so that
    /// an address can be forgotten although the log never changes.
    package var actorEmail: String?
    package var actorIP: String?
    package var actorUserAgent: String?
    package var action: String
    package var resourceType: String
    package var resourceID: String?
    package var description: String?
    /// `{field: {"old": …, "new": …}}` as canonical JSON text.
    package var changes: String?
    /// Surface, client, token name, roles, arguments; canonical JSON text.
    package var metadata: String?
    package var status: AuditStatus
    package var errorMessage: String?
    package var requestID: String?
    package var traceID: String?
    package var sessionID: String?

    /// An entry about `context`'s actor at `context`'s time.
    package init(
        _ context: Context, category: AuditCategory, action: String, subject: Subject,
        status: AuditStatus = .success, description: String? = nil, changes: JSONObject? = nil,
        metadata: JSONObject = [:], error: String? = nil
    ) {
        id = context.newID()
        timestamp = context.now
        self.category = category
        actorType = context.actor.type
        actorID = context.actor.id
        actorEmail = context.actor.isPerson ? nil : context.actor.email
        actorIP = Self.storable(context.ip)
        actorUserAgent = Self.storable(context.userAgent, 500)
        self.action = action
        resourceType = subject.type
        resourceID = Self.storable(subject.id)
        self.description = Self.storable(description)
        self.changes = changes.map { Redaction.auditChanges.redacted(.object($0)).canonicalText }
        self.metadata = Self.metadata(context, metadata)
        self.status = status
        errorMessage = Self.storable(error.map { Redaction.auditChanges.redacted(text: $0) })
        requestID = Self.storable(context.requestID)
        traceID = Self.storable(context.traceID)
        sessionID = Self.storable(context.actor.sessionID, 64)
    }

    /// Text from outside as both databases can keep it: an entry that could not
    /// be written would hold up all that come after it.
    private static func storable(_ text: String?, _ maximum: Int = 2_000) -> String? {
        guard let text else { return nil }
        let cut = text.utf8.count > maximum ? String(text.prefix(maximum)) : text
        return cut.utf8.contains(0) ? String(cut.unicodeScalars.filter { $0 != "\0" }) : cut
    }

    /// Canonical JSON text, written directly: every call has an entry. Our own
    /// words need no search for secrets; what came with the call does.
    private static func metadata(_ context: Context, _ extra: JSONObject) -> String {
        let safe = Redaction.auditChanges.redacted(.object(extra)).objectValue ?? [:]
        var members: [(key: String, value: JSONValue)] = safe.map { ($0.key, $0.value) }
        members.append(("surface", .string(context.surface.rawValue)))
        if !context.actor.isPerson { members.append(("actor", .string(context.actor.name))) }
        if let client = context.client {
            let name = Redaction.auditChanges.redacted(text: client.name)
            let version = Redaction.auditChanges.redacted(text: client.version)
            members.append(("client", ["name": .string(name), "version": .string(version)]))
        }
        if !context.actor.roles.isEmpty {
            members.append(("actor_roles", .array(context.actor.roles.map { .string($0) })))
        }
        members.sort { $0.key < $1.key }
        var writer = JSONWriter(capacity: 200)
        writer.beginObject()
        for (key, value) in members {
            writer.key(key)
            if case .string(let text) = value {
                writer.string(text)
            } else {
                writer.raw(value.encoded(sortedKeys: true))
            }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension JSONValue {
    /// Sorted keys, no spaces: one text per value, so that it can be hashed.
    package var canonicalText: String { String(decoding: encoded(sortedKeys: true), as: UTF8.self) }
}

/// `{field: {"old", "new"}}` for the keys whose values differ between two snapshots.
package func changes(from old: JSONObject, to new: JSONObject) -> JSONObject {
    var result: JSONObject = [:]
    for key in Set(old.keys).union(new.keys).sorted() where old[key] ?? .null != new[key] ?? .null {
        result[key] = .object(["old": old[key] ?? .null, "new": new[key] ?? .null])
    }
    return result
}
