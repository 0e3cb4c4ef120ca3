import JSON
package import Kernel
package import Storage

/// In what our books and the provider's differ.
package enum DifferenceKind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    // Payments, by the provider's id.
    case paymentUnknownHere = "payment_unknown_here", paymentUnknownThere = "payment_unknown_there"
    case paymentAmount = "payment_amount", paymentCanceled = "payment_canceled"
    case capturedAmount = "captured_amount", refundedAmount = "refunded_amount"
    case refundUnknownThere = "refund_unknown_there"
    // Transfers.
    case transferredAmount = "transferred_amount", reversedAmount = "reversed_amount"
    case transferUnknownThere = "transfer_unknown_there"
    // Payouts of connected accounts.
    case payoutUnknownHere = "payout_unknown_here", payoutStatus = "payout_status"
    case payoutAmount = "payout_amount"
    // Events, by their ids.
    case eventMissing = "event_missing", eventDoubled = "event_doubled", eventLate = "event_late"
    case eventUnknownThere = "event_unknown_there"

    /// It happened and is over: there is nothing to put right.
    var isHistory: Bool { self == .eventDoubled || self == .eventLate }
}

/// Something that was found to differ, before it is written down.
struct Finding: Sendable {
    var kind: DifferenceKind
    var object: String
    var booking: ULID?
    /// Theirs less ours, where it is one of amounts; else the amount that it is about.
    var cents: Int
    var ours: JSONObject
    var theirs: JSONObject
}

/// One row of `reconciliation_differences`.
package struct ReconciliationDifference: Sendable, RowDecodable {
    package var id: ULID
    package var runID: ULID
    package var kind: DifferenceKind
    package var object: String
    package var bookingID: ULID?
    package var cents: Int
    /// JSON texts.
    package var ours: String
    package var theirs: String
    package var foundAt: Instant
    package var resolvedAt: Instant?

    static let columns: SQL = """
        id, run_id, kind, object_id, booking_id, amount_cents, ours, theirs, found_at, resolved_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        runID = try row.get(at: 1)
        kind = try row.get(at: 2)
        object = try row.get(at: 3)
        bookingID = try row.get(at: 4)
        cents = try row.get(at: 5)
        ours = try row.get(at: 6)
        theirs = try row.get(at: 7)
        foundAt = try row.get(at: 8)
        resolvedAt = try row.get(at: 9)
    }

    /// Writes a finding down unless it stands there already: an open one, or one that is history.
    /// - Returns: whether it is new.
    static func add(_ finding: Finding, run: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        if finding.kind.isHistory {
            let known: Int? = try tx.value(
                """
                SELECT 1 FROM reconciliation_differences
                WHERE object_id = \(finding.object) AND kind = \(finding.kind) LIMIT 1
                """)
            guard known == nil else { return false }
        }
        let resolved: Instant? = finding.kind.isHistory ? context.now : nil
        return try tx.run(
            """
            INSERT INTO reconciliation_differences (\(columns))
            VALUES (\(context.newID()), \(run), \(finding.kind), \(finding.object), \(finding.booking), \
            \(finding.cents), \(JSONValue.object(finding.ours).text), \
            \(JSONValue.object(finding.theirs).text), \(context.now), \(resolved))
            ON CONFLICT DO NOTHING
            """
        ).affected == 1
    }

    func resolve(_ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE reconciliation_differences SET resolved_at = \(context.now)
            WHERE id = \(id) AND resolved_at IS NULL
            """)
    }

    /// Those that are not settled, the oldest first.
    static func open(after: ULID?, limit: Int, _ db: Snapshot) throws -> [ReconciliationDifference] {
        let place: SQL = after.map { " AND id > \($0)" } ?? ""
        return try db.all(
            """
            SELECT \(columns) FROM reconciliation_differences WHERE resolved_at IS NULL\(place)
            ORDER BY id LIMIT \(limit)
            """)
    }
}

/// One row of `reconciliation_runs`.
package struct ReconciliationRun: Sendable, RowDecodable {
    package enum State: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, SchemaDescribing {
        case waiting, running, done, failed
    }

    package var id: ULID
    package var state: State
    package var since: Instant
    package var until: Instant
    /// Objects of the provider's that were looked at.
    package var compared: Int
    package var found: Int
    package var resolved: Int
    package var problem: String?
    package var createdAt: Instant
    package var finishedAt: Instant?

    static let columns: SQL = """
        id, state, since, until, compared, found, resolved, problem, created_at, finished_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        state = try row.get(at: 1)
        since = try row.get(at: 2)
        until = try row.get(at: 3)
        compared = try row.get(at: 4)
        found = try row.get(at: 5)
        resolved = try row.get(at: 6)
        problem = try row.get(at: 7)
        createdAt = try row.get(at: 8)
        finishedAt = try row.get(at: 9)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> ReconciliationRun? {
        try db.one("SELECT \(columns) FROM reconciliation_runs WHERE id = \(id)")
    }

    static func latest(_ db: Snapshot) throws -> ReconciliationRun? {
        try db.one("SELECT \(columns) FROM reconciliation_runs ORDER BY id DESC LIMIT 1")
    }

    /// Writes a run down before it begins.
    static func plan(since: Instant, until: Instant, _ tx: Transaction, _ context: Context) throws -> ULID {
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO reconciliation_runs (id, state, since, until, created_at)
            VALUES (\(id), 'waiting', \(since), \(until), \(context.now))
            """)
        return id
    }
}
