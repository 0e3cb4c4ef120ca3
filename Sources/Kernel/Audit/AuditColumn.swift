/// The columns of `audit_logs` that the seal covers, in the order of
/// ``AuditLog/columns``, of a leaf's members and of a row's cells.
enum AuditColumn: Int, CaseIterable {
    case id, timestamp, category, actorType, actorID, actorEmail, actorIP, actorUserAgent, action
    case resourceType, resourceID, description, changes, metadata, status, errorMessage, requestID
    case traceID, sessionID

    /// Its name in a leaf, as JSON writes it.
    var key: StaticString {
        switch self {
        case .id: "\"id\":"
        case .timestamp: "\"timestamp\":"
        case .category: "\"category\":"
        case .actorType: "\"actor_type\":"
        case .actorID: "\"actor_id\":"
        case .actorEmail: "\"actor_email\":"
        case .actorIP: "\"actor_ip\":"
        case .actorUserAgent: "\"actor_user_agent\":"
        case .action: "\"action\":"
        case .resourceType: "\"resource_type\":"
        case .resourceID: "\"resource_id\":"
        case .description: "\"description\":"
        case .changes: "\"changes\":"
        case .metadata: "\"metadata\":"
        case .status: "\"status\":"
        case .errorMessage: "\"error_message\":"
        case .requestID: "\"request_id\":"
        case .traceID: "\"trace_id\":"
        case .sessionID: "\"session_id\":"
        }
    }

    /// Whether its text is JSON, which a leaf holds as it is.
    var isJSON: Bool { self == .changes || self == .metadata }

    /// Whether an ``AuditEntry`` takes this text.
    func accepts(_ text: UnsafeBufferPointer<UInt8>?) -> Bool {
        switch self {
        case .category: AuditCategory(rawValue: Self.string(text)) != nil
        case .actorType: ActorType(rawValue: Self.string(text)) != nil
        case .status: AuditStatus(rawValue: Self.string(text)) != nil
        default: true
        }
    }

    private static func string(_ text: UnsafeBufferPointer<UInt8>?) -> String {
        text.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

extension AuditEntry {
    /// The text of a column; nil when it has none, and for the time, which is no text.
    func text(_ column: AuditColumn) -> String? {
        switch column {
        case .id: id.description
        case .timestamp: nil
        case .category: category.rawValue
        case .actorType: actorType.rawValue
        case .actorID: actorID
        case .actorEmail: actorEmail
        case .actorIP: actorIP
        case .actorUserAgent: actorUserAgent
        case .action: action
        case .resourceType: resourceType
        case .resourceID: resourceID
        case .description: description
        case .changes: changes
        case .metadata: metadata
        case .status: status.rawValue
        case .errorMessage: errorMessage
        case .requestID: requestID
        case .traceID: traceID
        case .sessionID: sessionID
        }
    }
}
