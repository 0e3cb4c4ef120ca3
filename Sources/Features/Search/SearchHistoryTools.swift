import Kernel
import Storage

/// What the caller searched for, the latest first.
struct ListSearchHistory: Query {
    static let name = "search_history_list"
    static let summary = "What you searched for, the latest first."
    static let audience = Audience.anyone
    static let route = Route.get("search-history")

    @Input("Rows to return.", .range(1...50)) var limit = 10
    @Input("The guest's session, unless signed in.", .length(8...100)) var guestSessionID: String?

    struct Output: Codable, Sendable { var searches: [SearchHistory] }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (owner, limit) = (try SearchOwner.of(context, guest: guestSessionID), limit)
        // Guests see what their session searched for; people need leave to.
        if owner.userID != nil, let refusal = context.actor.lack(of: .viewOwnSearchHistory) { throw refusal }
        return Output(searches: try await db.read { try SearchHistory.list(owner, limit: limit, $0) })
    }
}

/// A search that was recorded.
struct RecordedSearch: Codable, Sendable {
    var search: SearchHistory
    /// What interactions are reported with.
    var searchEventID: ULID

    /// Counts the search in the history and keeps an event of it.
    static func record(
        _ query: String, _ type: SearchType, results: Int?, referrer: String?, for owner: SearchOwner,
        _ tx: Transaction, _ context: Context
    ) throws -> RecordedSearch {
        guard !SearchText.normalized(query).isEmpty else {
            throw Failure.invalid([.init("search_query", "must not be blank")])
        }
        let search = try SearchHistory.record(query, type, results: results, for: owner, tx, context)
        let event = SearchEvent(
            id: context.newID(), owner: owner, query: query, type: type, results: results,
            referrer: referrer.nonEmpty)
        try event.insert(isReturning: search.searchCount > 1, tx, context)
        return RecordedSearch(search: search, searchEventID: event.id)
    }
}

/// Keeps a search of the one who is signed in.
struct RecordSearch: Command {
    static let name = "search_history_record"
    static let summary = "Keep a search in your history; the same text is counted, not repeated."
    static let effect = Effect.additive
    static let audience = Audience.users
    static let action = "search.record"
    static let route = Route.post("search-history")
    static let creates = true

    @Input("What was searched for.", .length(1...200)) var searchQuery: String
    @Input("How the search came about.") var searchType = SearchType.naturalLanguage
    @Input("How many results it had.", .range(0...100_000)) var resultsCount: Int?
    @Input("The page it was made on.", .length(0...500)) var referrer: String?

    typealias Output = RecordedSearch

    func run(_ tx: Transaction, _ context: Context) throws -> RecordedSearch {
        try RecordedSearch.record(
            searchQuery, searchType, results: resultsCount, referrer: referrer,
            for: .user(try context.userID()), tx, context)
    }
}

/// Keeps a search of a guest.
struct RecordGuestSearch: Command {
    static let name = "search_history_record_guest"
    static let summary = "Keep a search in a guest's history."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "search.record_guest"
    static let route = Route.post("search-history/guest")
    static let creates = true

    @Input("The guest's session.", .length(8...100)) var guestSessionID: String
    @Input("What was searched for.", .length(1...200)) var searchQuery: String
    @Input("How the search came about.") var searchType = SearchType.naturalLanguage
    @Input("How many results it had.", .range(0...100_000)) var resultsCount: Int?
    @Input("The page it was made on.", .length(0...500)) var referrer: String?

    typealias Output = RecordedSearch

    func run(_ tx: Transaction, _ context: Context) throws -> RecordedSearch {
        try RecordedSearch.record(
            searchQuery, searchType, results: resultsCount, referrer: referrer,
            for: .guest(guestSessionID), tx, context)
    }
}

/// Removes a search from the caller's history.
struct DeleteSearch: Command {
    static let name = "search_history_delete"
    static let summary = "Remove a search from your history."
    static let effect = Effect.reversible
    static let audience = Audience.anyone
    static let action = "search.delete"
    static let route = Route.delete("search-history/:id")

    @Input("The search's id.") var id: ULID
    @Input("The guest's session, unless signed in.", .length(8...100)) var guestSessionID: String?

    struct Output: Codable, Sendable {
        var id: ULID
        var deleted: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let owner = try SearchOwner.of(context, guest: guestSessionID)
        try SearchHistory.delete(id, of: owner, tx, context)
        return Output(id: id, deleted: true)
    }
}
