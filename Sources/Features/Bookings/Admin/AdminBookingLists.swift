import JSON
import Kernel
import Storage

/// Bookings as administrators look for them, the newest first.
///
/// Pages follow a cursor; one asked for by its number is found by walking over the
/// rows before it, up to ``furthest``. Two statements.
struct ListAllBookings: Query {
    static let name = "admin_bookings_list"
    static let summary =
        "Bookings, newest first; filter by person, status, payment, day and what needs action."
    static let audience = Audience.holders(.viewFinancials)
    static let route = Route.get("admin/bookings")

    /// How many rows a page's number may skip.
    static let furthest = 2_000

    @Input("A booking's id, or part of a person's name or address.", .length(1...100)) var search: String?
    @Input("Only these.", .count(1...6)) var status: [BookingStatus]?
    @Input("Only these.", .count(1...6)) var paymentStatus: [PaymentStatus]?
    @Input("The first day of the lessons.") var dateFrom: CalendarDay?
    @Input("The last day of the lessons.") var dateTo: CalendarDay?
    @Input("Only those that somebody has to look at, or only the others.") var needsAction: Bool?
    @Input("The page, from 1; rather follow next_cursor.", .range(1...2_001)) var page = 1
    @Input("Rows of a page.", .range(1...200)) var perPage = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        var items: [EncodedRow<AdminBookingRow>]
        var page: Int
        var perPage: Int
        var hasNext: Bool
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let skipped = (page - 1) * perPage
        guard skipped <= Self.furthest, page == 1 || cursor == nil else {
            throw Failure.invalid(
                [.init("page", cursor == nil ? "is too far on" : "and cursor exclude each other")],
                hint: "Follow next_cursor from page to page.")
        }
        if let dateFrom, let dateTo, dateTo < dateFrom {
            throw Failure.invalid([.init("date_to", "must not be before date_from (\(dateFrom))")])
        }
        let place = try PageStart(cursor, filters: filterKey, window: nil)
        let (condition, limit) = (condition(context.now), perPage)
        let rows = try await db.read { db in
            try Self.rows(
                condition, after: place.after, skipping: skipped, limit: limit + 1, now: context.now, db)
        }
        let list = try ListPage(rows, limit: limit, from: place)
        return Output(
            items: list.rows, page: page, perPage: perPage, hasNext: list.nextCursor != nil,
            nextCursor: list.nextCursor)
    }

    private var filterKey: String {
        let parts: [String] = [
            search ?? "", (status ?? []).map(\.rawValue).joined(separator: ","),
            (paymentStatus ?? []).map(\.rawValue).joined(separator: ","), dateFrom?.description ?? "",
            dateTo?.description ?? "", needsAction.map { "\($0)" } ?? "",
        ]
        return parts.joined(separator: "\u{1F}")
    }

    private func condition(_ now: Instant) -> SQL {
        var sql: SQL = "1 = 1"
        if let search {
            if let id = ULID(search) {
                sql += " AND b.id = \(id)"
            } else {
                let people: SQL = "SELECT u.id FROM users u WHERE \(User.matches(search))"
                sql += " AND (b.student_id IN (\(people)) OR b.instructor_id IN (\(people)))"
            }
        }
        if let status { sql += " AND b.status \(in: status.map(\.rawValue))" }
        if let paymentStatus { sql += " AND b.payment_status \(in: paymentStatus.map(\.rawValue))" }
        if let dateFrom { sql += " AND b.booking_date >= \(dateFrom)" }
        if let dateTo { sql += " AND b.booking_date <= \(dateTo)" }
        switch needsAction {
        case true?: sql += " AND \(AdminBookingRow.needsAction(now))"
        case false?: sql += " AND NOT COALESCE(\(AdminBookingRow.needsAction(now)), FALSE)"
        case nil: break
        }
        return sql
    }

    private static func rows(
        _ condition: SQL, after: ULID?, skipping: Int, limit: Int, now: Instant, _ db: Snapshot
    ) throws -> [(id: ULID, value: AdminBookingRow)] {
        var start: SQL = ""
        if let after { start = " AND b.id < \(after)" }
        if skipping > 0 {
            start = """
                 AND b.id < (SELECT MIN(id) FROM (SELECT b.id AS id FROM bookings b WHERE \(condition)
                ORDER BY b.id DESC LIMIT \(skipping)) AS before)
                """
        }
        let found: [Booking] = try db.all(
            """
            SELECT \(Booking.columns) FROM bookings b WHERE \(condition)\(start)
            ORDER BY b.id DESC LIMIT \(limit)
            """)
        let names = try User.names(Set(found.flatMap { [$0.studentID, $0.instructorID] }).sorted(), db)
        return found.map { ($0.id, AdminBookingRow($0, names: names, now: now)) }
    }
}

/// One booking.
struct ShowAnyBooking: Query {
    static let name = "admin_booking_show"
    static let summary = "One booking with its payment, its report of a no-show and its timeline."
    static let audience = Audience.holders(.viewFinancials)
    static let route = Route.get("admin/bookings/:id")

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = AdminBookingView

    func run(_ db: Reader, _ context: Context) async throws -> AdminBookingView {
        let id = id
        return try await db.read { try AdminBookingView.of(id, $0) }
    }
}

/// Today, this week, and what has to be looked at.
///
/// Lessons are counted by their day in the business zone. Money is what moved in
/// the ledger in that time, in cents, and nothing else.
struct ShowBookingStatistics: Query {
    static let name = "admin_bookings_stats"
    static let summary = "Lessons and money of today and this week, and how many bookings need action."
    static let audience = Audience.holders(.viewFinancials)
    static let route = Route.get("admin/bookings/stats")

    struct Period: Codable, Sendable {
        var firstDay: CalendarDay
        var lastDay: CalendarDay
        /// Lessons that take place or took place on these days.
        var bookingCount: Int
        /// Their prices, paid or not.
        var bookedCents: Int
        /// What students were charged for lessons, without their fee.
        var gmvCents: Int
        /// Fees, less what went back of them.
        var platformRevenueCents: Int
    }

    struct NeedsAction: Codable, Sendable {
        /// Lessons that are over, and nobody says how they went; at most ``countLimit``.
        var pendingCompletion: Int
        /// Card disputes that are open, and reports of no-shows that are disputed.
        var disputed: Int
    }

    struct Output: Codable, Sendable {
        var today: Period
        var thisWeek: Period
        var needsAction: NeedsAction
    }

    static let countLimit = 10_000

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let zone = LocalZone(LocalZone.fallback)
        let today = zone.day(context.now)
        return try await db.read { db in
            Output(
                today: try Self.period(today, today, zone, db),
                thisWeek: try Self.period(today.monday, today.monday.adding(days: 6), zone, db),
                needsAction: try Self.needsAction(context.now, db))
        }
    }

    private static func period(_ first: CalendarDay, _ last: CalendarDay, _ zone: LocalZone, _ db: Snapshot)
        throws -> Period
    {
        let lessons = try db.rows(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(total_price_cents), 0) AS BIGINT) FROM bookings
            WHERE booking_date >= \(first) AND booking_date <= \(last) AND status IN ('CONFIRMED', 'COMPLETED')
            """
        ).first
        let (from, until) = (zone.span(first).lowerBound, zone.span(last).upperBound)
        let charged = [MovementKind.instructorShare, .instructorFee].map(\.rawValue)
        let money = try db.rows(
            """
            SELECT CAST(COALESCE(SUM(CASE WHEN kind \(in: charged) THEN amount_cents END), 0) AS BIGINT), \
            CAST(COALESCE(SUM(CASE WHEN credit = 'platform_fee' THEN amount_cents
                WHEN debit = 'platform_fee' THEN -amount_cents END), 0) AS BIGINT)
            FROM ledger_movements WHERE id >= \(ULID.first(at: from)) AND id < \(ULID.first(at: until))
            """
        ).first
        return Period(
            firstDay: first, lastDay: last, bookingCount: try lessons?.get(at: 0) ?? 0,
            bookedCents: try lessons?.get(at: 1) ?? 0, gmvCents: try money?.get(at: 0) ?? 0,
            platformRevenueCents: try money?.get(at: 1) ?? 0)
    }

    private static func needsAction(_ now: Instant, _ db: Snapshot) throws -> NeedsAction {
        let over: Int? = try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM bookings WHERE status = 'CONFIRMED'
            AND booking_start_utc <= \(now) AND booking_end_utc <= \(now) LIMIT \(countLimit)) AS found
            """)
        let disputes: Int? = try db.value(
            """
            SELECT (SELECT COUNT(*) FROM card_disputes WHERE closed_at IS NULL)
            + (SELECT COUNT(*) FROM booking_no_shows WHERE resolved_at IS NULL AND disputed_at IS NOT NULL)
            """)
        return NeedsAction(pendingCompletion: over ?? 0, disputed: disputes ?? 0)
    }
}
