import Kernel
import Storage

/// What an instructor earned, lesson by lesson.
struct ShowEarnings: Query {
    static let name = "earnings_show"
    static let summary = "What the signed-in instructor earned, in all and lesson by lesson."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("payments/earnings")

    @Input("First day of UTC, e.g. 2026-01-31.") var startDate: CalendarDay?
    @Input("Last day of UTC.") var endDate: CalendarDay?
    @Input("Rows to return.", .range(1...100)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        /// Of the whole window, not of the page.
        var summary: EarningsSummary
        /// The newest bookings first.
        var lessons: [EncodedRow<EarningView>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, limit, window) = (try context.userID(), limit, try DayRange(startDate, endDate))
        let filters = "\(user)/\(startDate?.description ?? "")/\(endDate?.description ?? "")"
        let place = try PageStart(cursor, filters: filters, window: nil)
        let (sums, rows) = try await db.read { db in
            (
                try LedgerSums.of(.init(role: .instructor, user: user), window, db),
                try EarningView.page(user, window, after: place.after, limit: limit + 1, db)
            )
        }
        let page = try ListPage(rows.map { ($0.bookingID, $0) }, limit: limit, from: place)
        return Output(summary: EarningsSummary(sums), lessons: page.rows, nextCursor: page.nextCursor)
    }
}

/// The same as a table for spreadsheets.
struct ExportEarnings: Query {
    static let name = "earnings_export"
    static let summary = "The signed-in instructor's earnings as CSV, up to 5,000 lessons."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/earnings/export")
    static let limit = 5_000

    @Input("First day of UTC, e.g. 2026-01-31.") var startDate: CalendarDay?
    @Input("Last day of UTC.") var endDate: CalendarDay?

    struct Output: Codable, Sendable {
        var filename: String
        var contentType: String
        /// RFC 4180, with a line of names first.
        var content: String
        var count: Int
        /// More lessons than the limit: ask for less time.
        var isCut: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, window) = (try context.userID(), try DayRange(startDate, endDate))
        let rows = try await db.read {
            try EarningView.page(user, window, after: nil, limit: Self.limit + 1, $0)
        }
        let shown = rows.prefix(Self.limit)
        return Output(
            filename: "earnings-\(CalendarDay.utc(context.now)).csv", contentType: "text/csv; charset=utf-8",
            content: CSVTable(Self.columns, shown.map(Self.cells)).text, count: shown.count,
            isCut: rows.count > Self.limit)
    }

    private static let columns = [
        "booking_id", "lesson_start_utc", "service", "student", "minutes", "status", "lesson_price",
        "commission", "earned", "paid_out",
    ]

    private static func cells(_ row: EarningView) -> [String] {
        [
            row.bookingID.description, row.lessonStartUTC.description, row.serviceName, row.studentName,
            "\(row.durationMinutes)", row.status.rawValue, plain(row.lessonPriceCents),
            plain(row.commissionCents), plain(row.earnedCents), plain(row.paidOutCents),
        ]
    }

    /// Dollars without a sign, for programs.
    private static func plain(_ cents: Int) -> String {
        DollarAmount(cents: cents).text.replacing("$", with: "")
    }
}

/// A table as RFC 4180 has it.
struct CSVTable: Sendable {
    let text: String

    init(_ columns: [String], _ rows: [[String]]) {
        text = ([columns] + rows).map { $0.map(Self.cell).joined(separator: ",") + "\r\n" }.joined()
    }

    /// What spreadsheets would take for a formula gets a quote before it (OWASP, CSV injection);
    /// negative numbers are none.
    static func cell(_ text: String) -> String {
        var text = text
        if let first = text.first, "=+-@\t\r".contains(first), Double(text) == nil { text = "'" + text }
        guard text.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
