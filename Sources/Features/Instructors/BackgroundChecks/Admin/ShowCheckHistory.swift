import Kernel
import Storage

/// What was ever reported about one instructor.
struct ShowCheckHistory: Query {
    static let name = "bgc_history_list"
    static let summary = "Every completed background report of one instructor, newest first."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/history/:id")
    static let action = "background_check.view_history"

    @Input("The profile's id.") var id: ULID
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    var subject: Subject? { Subject("instructor", id.description) }

    struct Item: Codable, Sendable, RowDecodable {
        var id: ULID
        var result: String
        var package: String?
        var completedAt: Instant
        var createdAt: Instant

        init(row: Row) throws {
            id = try row.get(at: 0)
            result = try row.get(at: 1)
            package = try row.get(at: 2)
            completedAt = try row.get(at: 3)
            createdAt = try row.get(at: 4)
        }
    }

    struct Output: Codable, Sendable {
        var items: [EncodedRow<Item>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (profile, limit) = (id, limit)
        let place = try PageStart(cursor, filters: "history\u{1F}\(profile)", window: nil)
        let found = try await db.read { db -> [Item] in
            var sql: SQL = """
                SELECT id, result, package, completed_at, created_at FROM background_checks
                WHERE instructor_id = \(profile)
                """
            if let after = place.after { sql += " AND id < \(after)" }
            return try db.all(sql + " ORDER BY id DESC LIMIT \(limit + 1)")
        }
        let page = try ListPage(found.map { ($0.id, $0) }, limit: limit, from: place)
        return Output(items: page.rows, nextCursor: page.nextCursor)
    }
}

/// The checks that run out soon.
struct ListExpiring: Query {
    static let name = "bgc_expiring_list"
    static let summary = "Passed background checks that ran out or will soon, the first to run out first."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/expiring")
    static let action = "background_check.view_expiring"

    @Input("Within so many days.", .range(1...365)) var days = 30
    @Input("Rows to return.", .range(1...200)) var limit = 50

    struct Output: Codable, Sendable {
        var items: [CheckCase]
        /// There are more; ask for fewer days or more rows.
        var hasMore: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (end, limit) = (context.now + .seconds(days * 86_400), limit)
        let found = try await db.read { try CheckCase.expiring(before: end, limit: limit + 1, $0) }
        return Output(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }
}

/// The newest consent of one instructor.
struct ShowLatestConsent: Query {
    static let name = "bgc_consent_latest"
    static let summary = "The newest consent of one instructor to a background check."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("admin/background-checks/consent/:id/latest")
    static let action = "background_check.view_consent"

    @Input("The profile's id.") var id: ULID
    typealias Output = BackgroundCheckConsent
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ db: Reader, _ context: Context) async throws -> BackgroundCheckConsent {
        let id = id
        guard let consent = try await db.read({ try BackgroundCheckConsent.latest(of: id, $0) }) else {
            throw Failure(.notFound, "The instructor never consented.", reason: "consent_not_found")
        }
        return consent
    }
}
