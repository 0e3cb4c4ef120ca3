import JSON
package import Kernel
package import Storage

/// An event as lists show it.
package struct WebhookSummary: Codable, Sendable {
    package var id: ULID
    package var source: String
    package var eventType: String
    package var eventID: String?
    package var status: WebhookStatus
    package var receivedAt: Instant
    package var processedAt: Instant?
    package var processingDurationMS: Int?
    /// `type/id` of the local row.
    package var relatedEntity: String?
    package var replayOf: ULID?
    package var replayCount: Int
    package var attemptCount: Int
    /// How often the provider delivered it; more than 1 means duplicates.
    package var deliveryCount: Int

    init(_ event: WebhookEvent) {
        id = event.id
        source = UntrustedText.cleaned(event.source, maximumCharacters: 50)
        eventType = UntrustedText.cleaned(event.eventType, maximumCharacters: 100)
        eventID = event.eventID.map { UntrustedText.cleaned($0, maximumCharacters: 255) }
        status = event.status
        receivedAt = event.receivedAt
        processedAt = event.processedAt
        processingDurationMS = event.processingDurationMS
        relatedEntity = event.relatedName
        replayOf = event.replayOf
        replayCount = event.replayCount
        attemptCount = event.attemptCount
        deliveryCount = event.deliveryCount
    }
}

extension WebhookEvent {
    var relatedName: String? { related.map { "\($0.type)/\($0.id ?? "")" } }
}

/// Counts of the window and filters of a list.
package struct WebhookCounts: Codable, Sendable {
    package var byStatus: [String: Int]
    package var bySource: [String: Int]
}

/// The filters of a webhook list as they were used.
package struct WebhookFilters: Codable, Sendable {
    package var source: String?
    package var status: WebhookStatus?
    package var eventType: String?

    /// What a cursor is bound to.
    var key: String {
        [source, status?.rawValue, eventType].map { $0 ?? "" }.joined(separator: "\u{1F}")
    }

    var condition: SQL {
        var sql: SQL = ""
        if let source { sql += " AND source = \(source)" }
        if let status { sql += " AND status = \(status)" }
        if let eventType { sql += " AND event_type = \(eventType)" }
        return sql
    }
}
