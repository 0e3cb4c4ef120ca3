import JSON
import Kernel
import Storage

/// What a student may still spend.
struct ShowCredits: Query {
    static let name = "credit_list"
    static let summary = "The signed-in student's credits: what can be spent, and until when."
    static let audience = Audience.holders(.createBookings)
    static let route = Route.get("payments/credits")
    static let limit = 200

    struct Row: Codable, Sendable {
        var id: ULID
        var amountCents: Int
        /// In dollars.
        var amount: Double
        var source: CreditSource
        var sourceBookingID: ULID?
        var status: CreditStatus
        var expiresAt: Instant?

        init(_ credit: Credit) {
            id = credit.id
            amountCents = credit.cents
            amount = DollarAmount(cents: credit.cents).dollars
            source = credit.source
            sourceBookingID = credit.sourceBookingID
            status = credit.status
            expiresAt = credit.expiresAt
        }
    }

    struct Output: Codable, Sendable {
        /// For the next lesson; nothing while a dispute is open.
        var availableCents: Int
        var available: Double
        /// Set aside for lessons that are booked.
        var reservedCents: Int
        var isFrozen: Bool
        /// What was spent and later taken back; above zero nothing can be booked.
        var owedCents: Int
        /// Those that are not spent and not over, what lapses first before others.
        var credits: [Row]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, now) = (try context.userID(), context.now)
        return try await db.read { db in
            guard let person = try User.find(user, db) else { throw UserAccessView.notFound(user) }
            let credits = try Credit.open(user, now: now, limit: Self.limit, db)
            let available = person.isCreditFrozen ? 0 : try Credit.available(user, now: now, db)
            return Output(
                availableCents: available, available: DollarAmount(cents: available).dollars,
                reservedCents: try Credit.reserved(user, db), isFrozen: person.isCreditFrozen,
                owedCents: max(0, -person.creditBalanceCents), credits: credits.map(Row.init))
        }
    }
}

extension CreditSource: SchemaDescribing {}
extension CreditStatus: SchemaDescribing {}

extension Credit {
    /// Credits that are neither spent nor over.
    static func open(_ student: ULID, now: Instant, limit: Int, _ db: Snapshot) throws -> [Credit] {
        try db.all(
            """
            SELECT \(columns) FROM platform_credits WHERE user_id = \(student)
            AND (status IN ('reserved', 'frozen')
                OR status = 'available' AND (expires_at IS NULL OR expires_at > \(now)))
            AND amount_cents > 0 ORDER BY COALESCE(expires_at, \(Int64.max)), id LIMIT \(limit)
            """)
    }

    /// What is set aside for lessons.
    static func reserved(_ student: ULID, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM platform_credits
            WHERE user_id = \(student) AND status = 'reserved'
            """) ?? 0
    }
}
