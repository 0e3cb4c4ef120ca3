import JSON
import Kernel
import Storage

/// Lists instructors in the order in which they joined.
struct InstructorsList: Query {
    static let name = "instructors_list"
    static let title = "List instructors"
    static let summary =
        "Instructors with status, services and numbers; filter by status, founding and what they teach."
    static let route = Route.get("instructors")

    @Input("Only this status.") var status: OnboardingStatus?
    @Input("Only founding instructors, or only the others.") var isFounding: Bool?
    @Input("Only who teaches this service, by its slug.", .length(1...100)) var serviceSlug: String?
    @Input("Only who teaches in this category, by its slug.", .length(1...100)) var categorySlug: String?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Show names and addresses in full; needs mcp:write and a reason.") var reveal = false
    @Input("Why they are shown; kept in the audit log.", .length(3...500)) var reason: String?

    struct Output: Codable, Sendable {
        struct Filters: Codable, Sendable {
            var status: OnboardingStatus?
            var isFounding: Bool?
            var serviceSlug: String?
            var categorySlug: String?
        }
        var meta: AnswerMeta
        var items: [EncodedRow<InstructorItem>]
        var nextCursor: String?
        var limit: Int
        var filters: Filters
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let reveal = try Reveal(reveal, reason: reason, context)
        let filters = Output.Filters(
            status: status, isFounding: isFounding, serviceSlug: serviceSlug, categorySlug: categorySlug)
        let place = try PageStart(cursor, filters: key, window: nil)
        let (condition, limit) = (condition, limit)
        let items = try await db.read { db in
            try InstructorItem.page(condition, after: place.after, limit: limit + 1, reveal, db)
        }
        let page = try ListPage(items.map { ($0.userID, $0) }, limit: limit, from: place)
        return Output(
            meta: AnswerMeta(context), items: page.rows, nextCursor: page.nextCursor, limit: limit,
            filters: filters)
    }

    private var key: String {
        [
            status?.rawValue ?? "", isFounding.map { "\($0)" } ?? "", serviceSlug ?? "", categorySlug ?? "",
        ].joined(separator: "\u{1E}")
    }

    private var condition: SQL {
        var sql = InstructorItem.present
        if let status { sql += " AND \(InstructorProfile.condition(status, "p."))" }
        if let isFounding { sql += " AND p.is_founding_instructor = \(isFounding)" }
        if let serviceSlug { sql += " AND \(InstructorItem.teaches("s.slug = \(serviceSlug)"))" }
        if let categorySlug { sql += " AND \(InstructorItem.teaches("c.slug = \(categorySlug)"))" }
        return sql
    }
}

/// An instructor as lists for operators show them.
struct InstructorItem: Codable, Sendable {
    var userID: ULID
    var profileID: ULID
    /// "Maria L." unless revealed.
    var name: String
    /// Masked unless revealed.
    var email: String
    var status: OnboardingStatus
    var isFounding: Bool
    var foundingGrantedAt: Instant?
    /// Names of what they teach now, in alphabetical order.
    var services: [String]
    var categories: [String]
    /// Since when; null unless live.
    var liveAt: Instant?
    /// Of published reviews; null without one.
    var ratingAvg: Double?
    var bookingsCompleted: Int
    var adminURL: String

    /// Profiles that are somebody's: neither given up nor of an account that is gone.
    static let present: SQL = "p.closed_at IS NULL AND u.deleted_at IS NULL"

    /// Who has an active service of the kind; the condition is about `s` and `c`.
    static func teaches(_ condition: SQL) -> SQL {
        """
        EXISTS (SELECT 1 FROM instructor_services i JOIN service_catalog s ON s.id = i.service_catalog_id
        JOIN service_subcategories b ON b.id = s.subcategory_id
        JOIN service_categories c ON c.id = b.category_id
        WHERE i.instructor_profile_id = p.id AND i.is_active AND \(condition))
        """
    }

    /// In the order of users' ids, after the last one of the page before; four statements.
    static func page(_ condition: SQL, after: ULID?, limit: Int, _ reveal: Reveal, _ db: Snapshot) throws
        -> [InstructorItem]
    {
        var place: SQL = ""
        if let after { place = " AND p.user_id > \(after)" }
        let rows = try db.rows(
            """
            SELECT \(InstructorProfile.columns), u.first_name, u.last_name, u.email
            FROM instructor_profiles p JOIN users u ON u.id = p.user_id
            WHERE \(condition)\(place) ORDER BY p.user_id LIMIT \(limit)
            """)
        let start = InstructorProfile.columnCount
        let found = try rows.map { row in
            (
                profile: try InstructorProfile(row: row), first: try row.get(at: start, as: String.self),
                last: try row.get(at: start + 1, as: String.self),
                email: try row.get(at: start + 2, as: String.self)
            )
        }
        let users = found.map(\.profile.userID)
        let (taught, ratings, completed) = (
            try TaughtService.of(found.map(\.profile.id), db), try Rating.of(users, db),
            try bookingsCompleted(users, db)
        )
        return found.map { item in
            let profile = item.profile
            let services = taught[profile.id] ?? []
            return InstructorItem(
                userID: profile.userID, profileID: profile.id,
                name: reveal.isGranted
                    ? "\(item.first) \(item.last)" : User.privacyName(item.first, item.last),
                email: reveal.isGranted ? item.email : Recipient.masked(item.email),
                status: profile.onboardingStatus, isFounding: profile.isFoundingInstructor,
                foundingGrantedAt: profile.foundingGrantedAt,
                services: Set(services.map(\.name)).sorted(),
                categories: Set(services.map(\.category)).sorted(), liveAt: profile.liveAt,
                ratingAvg: ratings[profile.userID]?.average,
                bookingsCompleted: completed[profile.userID] ?? 0, adminURL: profile.adminURL)
        }
    }

    private static func bookingsCompleted(_ users: [ULID], _ db: Snapshot) throws -> [ULID: Int] {
        try db.rows(
            """
            SELECT instructor_id, COUNT(*) FROM bookings
            WHERE instructor_id \(in: users) AND status = 'COMPLETED' GROUP BY instructor_id
            """
        ).reduce(into: [:]) { $0[try $1.get(at: 0)] = try $1.get(at: 1, as: Int.self) }
    }
}

extension InstructorProfile {
    /// Since when they are live; nil unless they are.
    var liveAt: Instant? { isLive ? liveSince ?? onboardingCompletedAt : nil }

    /// The page of the console.
    var adminURL: String { "/admin/instructors/\(id)" }
}

/// Something that an instructor teaches now.
struct TaughtService: Codable, Sendable {
    var name: String
    var slug: String
    var category: String
    /// Dollars, e.g. `75.00`.
    var hourlyRate: String
    var isActive: Bool

    /// Of any number of profiles, in the order of the catalogue; one statement.
    static func of(_ profiles: [ULID], _ db: Snapshot) throws -> [ULID: [TaughtService]] {
        let rows = try db.rows(
            """
            SELECT i.instructor_profile_id, s.name, s.slug, c.name, i.hourly_rate_cents
            FROM instructor_services i JOIN service_catalog s ON s.id = i.service_catalog_id
            JOIN service_subcategories b ON b.id = s.subcategory_id
            JOIN service_categories c ON c.id = b.category_id
            WHERE i.instructor_profile_id \(in: profiles) AND i.is_active
            ORDER BY i.instructor_profile_id, c.display_order, s.display_order, i.id
            """)
        return try rows.reduce(into: [:]) { found, row in
            let cents: Int = try row.get(at: 4)
            let part = cents % 100
            found[try row.get(at: 0), default: []].append(
                TaughtService(
                    name: try row.get(at: 1), slug: try row.get(at: 2), category: try row.get(at: 3),
                    hourlyRate: "\(cents / 100).\(part < 10 ? "0" : "")\(part)", isActive: true))
        }
    }
}
