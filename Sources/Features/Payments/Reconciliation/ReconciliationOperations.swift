import JSON
import Kernel
import Storage

/// Shows in what our books and the provider's differ.
struct ListDifferences: Query {
    static let name = "payments_reconciliation"
    static let title = "Payment reconciliation"
    static let summary =
        "Where our payment ledger and the payment provider's books differ, newest first, and the last run."
    static let route = Route.get("payments/reconciliation")

    @Input("Only this kind of difference.") var kind: DifferenceKind?
    @Input("Also those that were put right.") var includeResolved = false
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Difference: Codable, Sendable {
        var id: ULID
        var runID: ULID
        var kind: DifferenceKind
        /// The provider's id of what differs.
        var objectID: String
        var bookingID: ULID?
        /// Theirs less ours, where amounts differ; else the amount that it is about.
        var amountCents: Int
        var ours: RawJSON
        var theirs: RawJSON
        var foundAt: Instant
        var resolvedAt: Instant?

        init(_ row: ReconciliationDifference) {
            id = row.id
            runID = row.runID
            kind = row.kind
            objectID = row.object
            bookingID = row.bookingID
            amountCents = row.cents
            // Our own encoder wrote them.
            ours = RawJSON(unchecked: Array(row.ours.utf8))
            theirs = RawJSON(unchecked: Array(row.theirs.utf8))
            foundAt = row.foundAt
            resolvedAt = row.resolvedAt
        }
    }

    struct Output: Codable, Sendable {
        /// null when none was ever made.
        var lastRun: RunView?
        /// Open differences of all kinds, at most ``ListDifferences/countLimit``.
        var openCount: Int
        var differences: [EncodedRow<Difference>]
        var nextCursor: String?
    }

    static let countLimit = 10_000

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (kind, limit, isAll) = (kind, limit, includeResolved)
        let place = try PageStart(cursor, filters: "\(kind?.rawValue ?? "")/\(isAll)", window: nil)
        return try await db.read { db in
            var condition: SQL = "1 = 1"
            if !isAll { condition += " AND resolved_at IS NULL" }
            if let kind { condition += " AND kind = \(kind)" }
            if let after = place.after { condition += " AND id < \(after)" }
            let found: [ReconciliationDifference] = try db.all(
                """
                SELECT \(ReconciliationDifference.columns) FROM reconciliation_differences
                WHERE \(condition) ORDER BY id DESC LIMIT \(limit + 1)
                """)
            let page = try ListPage(found.map { ($0.id, Difference($0)) }, limit: limit, from: place)
            let open: Int? = try db.value(
                """
                SELECT COUNT(*) FROM (SELECT 1 FROM reconciliation_differences WHERE resolved_at IS NULL
                LIMIT \(Self.countLimit)) AS found
                """)
            return Output(
                lastRun: try ReconciliationRun.latest(db).map(RunView.init), openCount: open ?? 0,
                differences: page.rows, nextCursor: page.nextCursor)
        }
    }
}

/// A comparison as it is shown.
struct RunView: Codable, Sendable {
    var id: ULID
    var state: ReconciliationRun.State
    var since: Instant
    var until: Instant
    /// Objects of the provider's that were looked at.
    var compared: Int
    var found: Int
    var resolved: Int
    var problem: String?
    var createdAt: Instant
    var finishedAt: Instant?

    init(_ run: ReconciliationRun) {
        id = run.id
        state = run.state
        since = run.since
        until = run.until
        compared = run.compared
        found = run.found
        resolved = run.resolved
        problem = run.problem
        createdAt = run.createdAt
        finishedAt = run.finishedAt
    }
}

/// Starts a comparison now.
struct StartReconciliation: Command {
    static let name = "payments_reconcile"
    static let title = "Reconcile payments"
    static let summary =
        "Compare our payment ledger with the payment provider's books in the background; fetch missed events."
    static let effect = Effect.additive
    static let route = Route.post("payments/reconcile")
    static let cost = 5

    @Input("How many hours back to compare.", .range(1...720)) var sinceHours = 48
    @Input("Show what would happen and change nothing.") var dryRun = false
    var isDryRun: Bool { dryRun }

    typealias Output = RunView

    func run(_ tx: Transaction, _ context: Context) throws -> RunView {
        let until = context.now - Reconcile.settling
        let id = try ReconciliationRun.plan(
            since: context.now - .seconds(sinceHours * 3_600), until: until, tx, context)
        try tx.enqueue(Reconcile(run: id))
        guard let run = try ReconciliationRun.find(id, tx) else {
            throw Failure(.internal, "The run was not written.")
        }
        return RunView(run)
    }
}
