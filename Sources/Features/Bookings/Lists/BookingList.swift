import Kernel
import Storage

/// Which lessons a list holds, and in which order: by their beginning.
struct BookingFilter: Sendable {
    /// On which side of the lesson the person is.
    enum Side: String, Sendable { case instructor, any }

    var user: ULID
    var side: Side
    var condition: SQL
    /// What the cursor of a list is bound to.
    var name: String
    /// The next lesson first; the last one otherwise.
    var isUpcoming = false

    /// Lessons without a time are none that anybody booked.
    fileprivate var whole: SQL {
        let mine: SQL =
            switch side {
            case .instructor: "b.instructor_id = \(user)"
            case .any: "(b.student_id = \(user) OR b.instructor_id = \(user))"
            }
        return mine + " AND b.booking_start_utc IS NOT NULL AND " + condition
    }
}

extension BookingFilter {
    /// The filters of the domain specification §10.2.
    init(
        _ user: ULID, _ side: Side, status: BookingStatus?, upcomingOnly: Bool,
        excludeFutureConfirmed: Bool, includePastConfirmed: Bool, now: Instant
    ) {
        var parts: [SQL] = []
        let isPastConfirmed: SQL = "(b.status = 'CONFIRMED' AND b.booking_end_utc <= \(now))"
        switch (status, includePastConfirmed) {
        case (let status?, true): parts.append("(b.status = \(status) OR \(isPastConfirmed))")
        case (let status?, false): parts.append("b.status = \(status)")
        case (nil, _): if upcomingOnly { parts.append("b.status = 'CONFIRMED'") }
        }
        if upcomingOnly {
            let isAhead: SQL = "b.booking_start_utc > \(now)"
            parts.append(includePastConfirmed ? "(\(isAhead) OR \(isPastConfirmed))" : isAhead)
        }
        if excludeFutureConfirmed {
            parts.append("NOT (b.status = 'CONFIRMED' AND b.booking_end_utc > \(now))")
        }
        let name =
            "\(status?.rawValue ?? "")/\(upcomingOnly)/\(excludeFutureConfirmed)/\(includePastConfirmed)"
        self.init(
            user: user, side: side,
            condition: parts.isEmpty ? "1 = 1" : SQL.joined(parts, separator: " AND "),
            name: "\(side.rawValue)/\(user)/\(name)", isUpcoming: upcomingOnly)
    }
}

extension BookingDetails {
    /// Rows of one page, in one statement.
    ///
    /// - Parameters:
    ///   - after: the last row of the page before.
    ///   - skipping: how many rows come before instead, for a page that is asked for by its number.
    static func page(
        _ filter: BookingFilter, after: ULID?, skipping: Int = 0, limit: Int, _ db: Snapshot
    ) throws -> [BookingDetails] {
        let order: SQL =
            filter.isUpcoming ? "b.booking_start_utc, b.id" : "b.booking_start_utc DESC, b.id DESC"
        let comparison: SQL = filter.isUpcoming ? ">" : "<"
        var sql: SQL = "SELECT \(columns) FROM \(tables) WHERE \(filter.whole)"
        if let after {
            sql += """
                 AND (b.booking_start_utc, b.id) \(comparison) \
                (SELECT a.booking_start_utc, a.id FROM bookings a WHERE a.id = \(after))
                """
        } else if skipping > 0 {
            let back: SQL = filter.isUpcoming ? "s DESC, i DESC" : "s, i"
            sql += """
                 AND (b.booking_start_utc, b.id) \(comparison) (SELECT s, i FROM (
                SELECT b.booking_start_utc AS s, b.id AS i FROM bookings b WHERE \(filter.whole)
                ORDER BY \(order) LIMIT \(skipping)) AS before ORDER BY \(back) LIMIT 1)
                """
        }
        return try db.all(sql + " ORDER BY \(order) LIMIT \(limit)")
    }
}

/// One page of lessons.
struct BookingPage: Codable, Sendable {
    /// How many rows a page's number may skip; then the cursor goes on.
    static let furthest = 1_000

    var items: [EncodedRow<BookingView>]
    var page: Int
    var perPage: Int
    var hasNext: Bool
    var hasPrev: Bool
    var nextCursor: String?

    /// Two statements, whatever the page.
    static func read(
        _ filter: BookingFilter, page: Int, perPage: Int, cursor: String?, _ db: Reader
    ) async throws -> BookingPage {
        let skipped = (page - 1) * perPage
        guard skipped <= furthest, page == 1 || cursor == nil else {
            throw Failure.invalid(
                [.init("page", cursor == nil ? "is too far on" : "and cursor exclude each other")],
                hint: "Follow next_cursor from page to page.")
        }
        let place = try PageStart(cursor, filters: filter.name, window: nil)
        let rows = try await db.read { db in
            try BookingView.of(
                BookingDetails.page(
                    filter, after: place.after, skipping: skipped, limit: perPage + 1, db), db)
        }
        let list = try ListPage(rows.map { ($0.id, $0) }, limit: perPage, from: place)
        return BookingPage(
            items: list.rows, page: page, perPage: perPage, hasNext: list.nextCursor != nil,
            hasPrev: page > 1 || cursor != nil, nextCursor: list.nextCursor)
    }
}
