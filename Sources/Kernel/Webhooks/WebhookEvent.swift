package import JSON
package import Storage

/// The values of `webhook_events.status`.
package enum WebhookStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    /// Stored and acknowledged; waiting for its first attempt.
    case received
    /// An attempt is running.
    case processing
    case processed
    /// The last attempt failed; another one is due, unless it was permanent.
    case failed
    /// Understood, but nothing of ours matches.
    case unmatched
    /// All attempts failed; only a replay will try again.
    case deadLetter = "dead_letter"
    /// A replay that succeeded.
    case replayed
}

/// One row of `webhook_events`: what a source told us, immutable but for its state.
package struct WebhookEvent: Sendable, RowDecodable {
    package static let tally = Tally("webhooks")

    package var id: ULID
    package var source: String
    package var eventType: String
    package var eventID: String?
    package var status: WebhookStatus
    package var processingError: String?
    package var processingDurationMS: Int?
    package var idempotencyKey: String?
    package var relatedEntityType: String?
    package var relatedEntityID: String?
    package var receivedAt: Instant
    package var processedAt: Instant?
    package var replayOf: ULID?
    package var replayCount: Int
    package var attemptCount: Int
    package var deliveryCount: Int
    /// The replay that succeeded.
    package var resolvedBy: ULID?
    /// Redacted JSON text; empty when the row was read by ``summaryColumns``.
    package var payload: String
    package var headers: String?

    package static let summaryColumns: SQL = """
        id, source, event_type, event_id, status, processing_error, processing_duration_ms, idempotency_key, \
        related_entity_type, related_entity_id, received_at, processed_at, replay_of, replay_count, \
        attempt_count, delivery_count, resolved_by
        """
    package static let columns: SQL = "\(summaryColumns), payload, headers"
    private static let columnCount = 19

    package init(row: Row) throws {
        id = try row.get(at: 0)
        source = try row.get(at: 1)
        eventType = try row.get(at: 2)
        eventID = try row.get(at: 3)
        status = try row.get(at: 4)
        processingError = try row.get(at: 5)
        processingDurationMS = try row.get(at: 6)
        idempotencyKey = try row.get(at: 7)
        relatedEntityType = try row.get(at: 8)
        relatedEntityID = try row.get(at: 9)
        receivedAt = try row.get(at: 10)
        processedAt = try row.get(at: 11)
        replayOf = try row.get(at: 12)
        replayCount = try row.get(at: 13)
        attemptCount = try row.get(at: 14)
        deliveryCount = try row.get(at: 15)
        resolvedBy = try row.get(at: 16)
        let isWhole = row.columnNames.count > 17
        payload = isWhole ? try row.get(at: 17) : ""
        headers = isWhole ? try row.get(at: 18) : nil
    }

    /// The stored payload as a value.
    package var body: JSONValue {
        get throws { try JSONValue(parsing: payload) }
    }

    package var isResolved: Bool { resolvedBy != nil }

    package var related: Subject? { relatedEntityType.map { Subject($0, relatedEntityID) } }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> WebhookEvent? {
        try db.one("SELECT \(columns) FROM webhook_events WHERE id = \(id)")
    }

    /// The row and its attempts in one statement, which PostgreSQL answers
    /// without a transaction around it.
    package static func findWithAttempts(_ id: ULID, _ db: Snapshot) throws -> (
        WebhookEvent, [WebhookAttempt]
    )? {
        let rows = try db.rows(
            """
            SELECT \(columns), \(WebhookAttempt.columns) FROM webhook_events
            LEFT JOIN webhook_attempts ON webhook_id = id WHERE id = \(id) ORDER BY attempt LIMIT 50
            """)
        guard let first = rows.first else { return nil }
        let hasAttempts = try first.get(at: columnCount, as: Int?.self) != nil
        return (
            try WebhookEvent(row: first),
            hasAttempts ? try rows.map { try WebhookAttempt(row: $0, from: columnCount) } : []
        )
    }

    /// The row, locked until the transaction ends.
    package static func lock(_ id: ULID, _ tx: Transaction) throws -> WebhookEvent? {
        try tx.one("SELECT \(columns) FROM webhook_events WHERE id = \(id) \(.forUpdate)")
    }

    /// The rows that there are, locked in the order of their ids, so that two
    /// that lock many cannot block each other.
    static func lock(_ ids: [ULID], _ tx: Transaction) throws -> [ULID: WebhookEvent] {
        let rows: [WebhookEvent] = try tx.all(
            """
            SELECT \(columns) FROM webhook_events WHERE id \(in: ids.map(\.description)) ORDER BY id \(.forUpdate)
            """)
        return Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Keeps the counts of lists in step with a change of state.
    static func count(
        _ change: Int, _ id: ULID, _ source: String, _ type: String, _ status: WebhookStatus,
        _ tx: Transaction
    ) throws {
        try tally.add(change, at: id.instant, [source, type, status.rawValue], tx)
    }

    /// Moves the row to `status` and the counts with it.
    func move(to status: WebhookStatus, _ assignments: SQL, _ tx: Transaction) throws {
        var counts = TallyChanges(Self.tally)
        counts.add(-1, at: id.instant, [source, eventType, self.status.rawValue])
        counts.add(1, at: id.instant, [source, eventType, status.rawValue])
        try tx.runMany(
            ["UPDATE webhook_events SET status = \(status), \(assignments) WHERE id = \(id)"]
                + counts.statements)
    }
}

/// One row of `webhook_attempts`: one try at processing an event. Append-only.
package struct WebhookAttempt: Codable, Sendable, RowDecodable {
    package var attempt: Int
    package var startedAt: Instant
    package var durationMS: Int
    package var outcome: String
    package var error: String?
    package var worker: String?
    package var deploySHA: String?

    package static let columns: SQL =
        "attempt, started_at, duration_ms, outcome, error, worker, deploy_sha"

    package init(row: Row) throws { try self.init(row: row, from: 0) }

    /// Columns in the order of ``columns``, the first at `start`.
    package init(row: Row, from start: Int) throws {
        attempt = try row.get(at: start)
        startedAt = try row.get(at: start + 1)
        durationMS = try row.get(at: start + 2)
        outcome = try row.get(at: start + 3)
        error = try row.get(at: start + 4)
        worker = try row.get(at: start + 5)
        deploySHA = try row.get(at: start + 6)
    }

    package static func all(of event: ULID, limit: Int = 50, _ db: Snapshot) throws -> [WebhookAttempt] {
        try db.all(
            """
            SELECT \(columns) FROM webhook_attempts
            WHERE webhook_id = \(event) ORDER BY attempt LIMIT \(limit)
            """)
    }
}
