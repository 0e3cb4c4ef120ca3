import Kernel
import Storage

/// The live instructors who teach one service.
///
/// Pages follow a cursor over the ids of instructors' services. A page asked for
/// by its number is found the same way, walking over the ids before it, and is
/// refused beyond ``furthest`` rows: then the cursor goes on. One statement.
struct ListInstructors: Query {
    static let name = "instructors_by_service"
    static let summary = "The live instructors who teach a service; filter by price and age group."
    static let audience = Audience.anyone
    static let route = Route.get("instructors")

    /// How many rows a page's number may skip.
    static let furthest = 1_000

    @Input("The service, of services/catalog.") var serviceCatalogID: ULID
    @Input("Dollars per hour at least.") var minPrice: DollarAmount?
    @Input("Dollars per hour at most; no more than 1000.") var maxPrice: DollarAmount?
    @Input("Only those who teach this group.") var ageGroup: AgeGroup?
    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 20
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Instructor: Codable, Sendable {
        /// The user's id.
        var id: ULID
        var profileID: ULID
        var firstName: String
        var lastInitial: String
        var service: InstructorServiceView
    }

    struct Output: Codable, Sendable {
        var instructors: [EncodedRow<Instructor>]
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
        if let minPrice, let maxPrice, minPrice.cents > maxPrice.cents {
            throw Failure.invalid([.init("max_price", "must not be less than min_price")])
        }
        if let maxPrice, maxPrice.cents > 100_000 {
            throw Failure.invalid([.init("max_price", "must be at most 1000")])
        }
        let place = try PageStart(cursor, filters: filterKey, window: nil)
        let (condition, limit) = (condition, perPage)
        let rows = try await db.read { db in
            try Self.rows(condition, after: place.after, skipping: skipped, limit: limit + 1, db)
        }
        let list = try ListPage(rows, limit: limit, from: place)
        return Output(
            instructors: list.rows, page: page, perPage: perPage, hasNext: list.nextCursor != nil,
            nextCursor: list.nextCursor)
    }

    private var filterKey: String {
        "\(serviceCatalogID)/\(minPrice?.cents ?? -1)/\(maxPrice?.cents ?? -1)/\(ageGroup?.rawValue ?? "")"
    }

    private var condition: SQL {
        var sql: SQL = """
            i.service_catalog_id = \(serviceCatalogID) AND i.is_active AND p.is_live \
            AND u.account_status = 'active'
            """
        if let minPrice { sql += " AND i.hourly_rate_cents >= \(minPrice.cents)" }
        if let maxPrice { sql += " AND i.hourly_rate_cents <= \(maxPrice.cents)" }
        switch ageGroup {
        case .kids: sql += " AND i.teaches_kids"
        case .adults: sql += " AND i.teaches_adults"
        case nil: break
        }
        return sql
    }

    private static let tables: SQL = """
        instructor_services i JOIN instructor_profiles p ON p.id = i.instructor_profile_id \
        JOIN users u ON u.id = p.user_id
        """

    private static func rows(
        _ condition: SQL, after: ULID?, skipping: Int, limit: Int, _ db: Snapshot
    ) throws -> [(id: ULID, value: Instructor)] {
        var start: SQL = ""
        if let after { start = " AND i.id > \(after)" }
        if skipping > 0 {
            start = """
                 AND i.id > (SELECT MAX(id) FROM (SELECT i.id AS id FROM \(tables) WHERE \(condition)
                ORDER BY i.id LIMIT \(skipping)) AS before)
                """
        }
        let columns = InstructorService.columns(of: "i")
        let rows = try db.rows(
            """
            SELECT \(columns), u.id, u.first_name, u.last_name FROM \(tables)
            WHERE \(condition)\(start) ORDER BY i.id LIMIT \(limit)
            """)
        return try rows.map { row in
            let service = try InstructorService(row: row)
            let last: String = try row.get(at: 20)
            return (
                service.id,
                Instructor(
                    id: try row.get(at: 18), profileID: service.profileID, firstName: try row.get(at: 19),
                    lastInitial: String(last.prefix(1)), service: InstructorServiceView(service))
            )
        }
    }
}

extension InstructorService {
    /// The columns of a table that goes by another name.
    static func columns(of table: String) -> SQL {
        let names = columns.description.split(separator: ",").map { part in
            "\(table)." + part.filter { !$0.isWhitespace }
        }
        return "\(raw: names.joined(separator: ", "))"
    }
}
