package import JSON
package import Kernel
package import Storage

/// An audit entry as lists show it.
package struct AuditEntryView: Codable, Sendable {
    package struct ActorView: Codable, Sendable {
        package var type: ActorType
        package var id: String?
        package var email: String?
    }
    package struct ResourceView: Codable, Sendable {
        package var type: String
        package var id: String?
    }
    package var id: ULID
    package var timestamp: Instant
    package var actor: ActorView
    package var action: String
    package var resource: ResourceView
    package var description: String?
    package var changes: RawJSON?
    package var status: AuditStatus
    package var requestID: String?
    package var errorMessage: String?
    /// Surface, client, token and arguments; only with `detail`.
    package var metadata: RawJSON?

    init(_ entry: AuditEntry, detail: Bool) {
        id = entry.id
        timestamp = entry.timestamp
        actor = ActorView(
            type: entry.actorType, id: entry.actorID.map { UntrustedText.cleaned($0, maximumCharacters: 64) },
            email: entry.actorEmail.map { UntrustedText.cleaned($0, maximumCharacters: 255) })
        action = entry.action
        resource = ResourceView(
            type: entry.resourceType,
            id: entry.resourceID.map { UntrustedText.cleaned($0, maximumCharacters: 255) })
        description = entry.description.map { UntrustedText.cleaned($0, maximumCharacters: 500) }
        changes = entry.changes.map { UntrustedText.cleaned(json: $0) }
        status = entry.status
        requestID = entry.requestID
        errorMessage = entry.errorMessage.map { UntrustedText.cleaned($0, maximumCharacters: 500) }
        metadata = detail ? entry.metadata.map { UntrustedText.cleaned(json: $0) } : nil
    }
}

/// What every audit tool answers.
package struct AuditAnswer: Codable, Sendable {
    package struct Meta: Codable, Sendable {
        package var sinceHours: Int
        package var totalCount: Int
        package var returnedCount: Int
        /// Total and summary stopped counting at ``AuditQuery/countCap``: there are more.
        package var countsAreCapped: Bool
        package var startTime: Instant?
        package var endTime: Instant?
        package var nextCursor: String?
        package var requestID: String
        package var generatedAt: Instant
    }
    package struct Summary: Codable, Sendable {
        package var byAction: [String: Int] = [:]
        package var byActorType: [String: Int] = [:]
        package var byStatus: [String: Int] = [:]
    }
    package var meta: Meta
    package var summary: Summary
    package var entries: [EncodedRow<AuditEntryView>]
}
