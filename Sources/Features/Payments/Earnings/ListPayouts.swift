import Kernel
import Storage

/// What the provider paid to the instructor's bank.
struct ListPayouts: Query {
    static let name = "payout_list"
    static let summary = "Payouts to the signed-in instructor's bank, as the payment provider told of them."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("payments/payouts")

    @Input("Rows to return.", .range(1...100)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Row: Codable, Sendable {
        var id: ULID
        var payoutID: String
        var amountCents: Int?
        /// In dollars.
        var amount: Double?
        /// pending, paid, failed or canceled.
        var status: String
        var arrivalDate: Instant?
        var failureCode: String?
        var createdAt: Instant
    }

    struct Output: Codable, Sendable {
        /// The latest that is known of each, the newest first.
        var payouts: [EncodedRow<Row>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let limit = limit
        let profile = try await OwnAccount.find(db, context).profile
        let place = try PageStart(cursor, filters: profile.description, window: nil)
        let rows = try await db.read { db in
            let after: SQL = place.after.map { " AND e.id < \($0)" } ?? ""
            return try db.rows(
                """
                SELECT e.id, e.payout_id, e.amount_cents, e.status, e.arrival_date, e.failure_code, e.created_at
                FROM instructor_payout_events e WHERE e.instructor_profile_id = \(profile)\(after)
                AND NOT EXISTS (SELECT 1 FROM instructor_payout_events later
                    WHERE later.payout_id = e.payout_id AND later.id > e.id)
                ORDER BY e.id DESC LIMIT \(limit + 1)
                """
            ).map(Self.row)
        }
        let page = try ListPage(rows.map { ($0.id, $0) }, limit: limit, from: place)
        return Output(payouts: page.rows, nextCursor: page.nextCursor)
    }

    private static func row(_ row: Storage.Row) throws -> Row {
        let cents: Int? = try row.get(at: 2)
        return Row(
            id: try row.get(at: 0), payoutID: try row.get(at: 1), amountCents: cents,
            amount: cents.map { DollarAmount(cents: $0).dollars }, status: try row.get(at: 3),
            arrivalDate: try row.get(at: 4), failureCode: try row.get(at: 5), createdAt: try row.get(at: 6))
    }
}
