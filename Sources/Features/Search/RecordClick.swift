import JSON
import Kernel
import Storage

/// What somebody did with a result.
enum ClickAction: String, InputEnum, Codable, Sendable, CaseIterable, SQLBindable {
    case view, book, message, favorite
}

/// Notes a click on a result of a search.
struct RecordClick: Command {
    static let name = "search_click"
    static let summary = "Note a click on a result of a search."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "search.click"
    static let route = Route.post("search/click")
    static let creates = true

    @Input("search_query_id of the search.") var searchQueryID: ULID
    @Input("The service of the result.") var serviceID: ULID?
    @Input("The instructor's profile id.") var instructorID: ULID?
    @Input("The place of the result, from 1.", .range(1...1_000)) var position: Int
    @Input("What was done.") var action: ClickAction

    struct Output: Codable, Sendable { var id: ULID }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let query: ULID? = try tx.value("SELECT id FROM search_queries WHERE id = \(searchQueryID)")
        guard query != nil else {
            throw Failure(.notFound, "There is no search with the id \(searchQueryID).")
        }
        try Self.require(serviceID, in: "service_catalog", "service_id", tx)
        try Self.require(instructorID, in: "instructor_profiles", "instructor_id", tx)
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO search_clicks (id, search_query_id, service_id, instructor_id, position, action, \
            created_at) VALUES (\(id), \(searchQueryID), \(serviceID), \(instructorID), \(position), \
            \(action), \(context.now))
            """)
        return Output(id: id)
    }

    private static func require(_ id: ULID?, in table: String, _ field: String, _ tx: Transaction) throws {
        guard let id else { return }
        let found: ULID? = try tx.value("SELECT id FROM \(identifier: table) WHERE id = \(id)")
        guard found != nil else { throw Failure.invalid([.init(field, "nothing has the id \(id)")]) }
    }
}
