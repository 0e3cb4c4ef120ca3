import JSON
import Kernel
import Storage

/// The checks that somebody has to look at.
struct ListReviewCases: Query {
    static let name = "bgc_reviews_list"
    static let summary = "Background checks that wait for a decision, newest instructors first."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/review")
    static let action = "background_check.view_reviews"

    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    typealias Output = CasePage

    func run(_ db: Reader, _ context: Context) async throws -> CasePage {
        try await CasePage.load(
            "p.bgc_status IN ('review', 'consider')", filters: "review", cursor, limit, db)
    }
}

/// How many checks wait for a decision.
struct CountReviews: Query {
    static let name = "bgc_reviews_count"
    static let summary = "How many background checks wait for a decision."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/review/count")
    static let action = "background_check.view_counts"

    struct Output: Codable, Sendable {
        var count: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        try await db.read { Output(count: try CheckCounts($0).needsReview) }
    }
}

/// How many checks are in which state.
struct CountChecks: Query {
    static let name = "bgc_counts"
    static let summary = "How many background checks are in which state."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/counts")
    static let action = "background_check.view_counts"
    typealias Output = CheckCounts

    func run(_ db: Reader, _ context: Context) async throws -> CheckCounts {
        try await db.read { try CheckCounts($0) }
    }
}

/// Background checks by state and name.
struct ListCases: Query {
    static let name = "bgc_cases_list"
    static let summary = "Background checks, newest instructors first; filter by state, name and e-mail."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/cases")
    static let action = "background_check.view_cases"

    /// The states that the list tells apart.
    enum Filter: String, Codable, InputEnum { case all, pending, review }

    @Input("Only this state; review also holds what is to be considered.") var status = Filter.all
    @Input("Part of a name or an e-mail address.", .length(1...100)) var search: String?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    typealias Output = CasePage

    func run(_ db: Reader, _ context: Context) async throws -> CasePage {
        var condition: SQL =
            switch status {
            case .all: "p.bgc_status IS NOT NULL"
            case .pending: "p.bgc_status = 'pending'"
            case .review: "p.bgc_status IN ('review', 'consider')"
            }
        if let search { condition += " AND \(User.matches(search))" }
        return try await CasePage.load(
            condition, filters: "\(status.rawValue)\u{1F}\(search ?? "")", cursor, limit, db)
    }
}

/// A page of checks; one statement.
struct CasePage: Codable, Sendable {
    var items: [EncodedRow<CheckCase>]
    var nextCursor: String?

    static func load(_ condition: SQL, filters: String, _ cursor: String?, _ limit: Int, _ db: Reader)
        async throws
        -> CasePage
    {
        let place = try PageStart(cursor, filters: filters, window: nil)
        let found = try await db.read {
            try CheckCase.page(condition, after: place.after, limit: limit + 1, $0)
        }
        let page = try ListPage(found.map { ($0.profileID, $0) }, limit: limit, from: place)
        return CasePage(items: page.rows, nextCursor: page.nextCursor)
    }
}
