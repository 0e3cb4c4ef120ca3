import JSON
import Kernel
import Storage

/// One row of `search_events`: a search as it happened, kept for counting.
struct SearchEvent: Sendable {
    var id: ULID
    var owner: SearchOwner
    var query: String
    var type: SearchType
    var results: Int?
    var referrer: String?

    /// Searches of the history, and those with an interaction, by the search's time.
    static let tally = Tally("search_events")

    func insert(isReturning: Bool, _ tx: Transaction, _ context: Context) throws {
        // Nobody can be found by it, but the same address can be told to be the same.
        let address = context.ip.map { Secrets.hash("search:\($0)") }
        try tx.run(
            """
            INSERT INTO search_events (id, user_id, guest_session_id, search_query, search_type, \
            results_count, searched_at, session_id, referrer, ip_hash, is_returning_user)
            VALUES (\(id), \(owner.userID), \(owner.guestSessionID), \(query), \(type), \(results), \
            \(context.now), \(context.actor.sessionID), \(referrer), \(address), \(isReturning))
            """)
        try Self.tally.add(1, at: id.instant, ["all", type.rawValue], tx)
    }
}

/// What somebody did with what an event found.
enum InteractionType: String, InputEnum, Codable, Sendable, CaseIterable, SQLBindable {
    case click, hover, bookmark
    case viewProfile = "view_profile"
    case contact, book
}

/// Notes an interaction with the results of a search of the history.
struct RecordInteraction: Command {
    static let name = "search_interaction"
    static let summary = "Note an interaction with the results of a search."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "search.interaction"
    static let route = Route.post("search-history/interaction")
    static let creates = true

    @Input("search_event_id, as returned when the search was recorded.") var searchEventID: ULID
    @Input("What was done.") var interactionType: InteractionType
    @Input("The instructor's profile id.") var instructorID: ULID?
    @Input("The place of the result, from 1.", .range(1...1_000)) var resultPosition: Int?
    @Input("Milliseconds after the search.", .range(0...86_400_000)) var timeToInteraction: Int?
    @Input("How many milliseconds it took.", .range(0...86_400_000)) var interactionDuration: Int?
    @Input("The guest's session, unless signed in.", .length(8...100)) var guestSessionID: String?

    struct Output: Codable, Sendable { var id: ULID }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let owner = try SearchOwner.of(context, guest: guestSessionID)
        let event: ULID? = try tx.value(
            "SELECT id FROM search_events WHERE id = \(searchEventID) AND \(owner.condition) \(.forUpdate)")
        guard event != nil else {
            throw Failure(.notFound, "There is no search with the id \(searchEventID).")
        }
        let isFirst =
            try tx.value(
                "SELECT 1 FROM search_interactions WHERE search_event_id = \(searchEventID) LIMIT 1",
                as: Int.self) == nil
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO search_interactions (id, search_event_id, interaction_type, instructor_id, \
            result_position, time_to_interaction_ms, interaction_duration_ms, session_id, created_at)
            VALUES (\(id), \(searchEventID), \(interactionType), \(instructorID), \(resultPosition), \
            \(timeToInteraction), \(interactionDuration), \(context.actor.sessionID), \(context.now))
            """)
        if isFirst { try SearchEvent.tally.add(1, at: searchEventID.instant, ["interacted"], tx) }
        return Output(id: id)
    }
}
