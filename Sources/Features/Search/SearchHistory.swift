import JSON
package import Kernel
package import Storage

/// How a search came about.
package enum SearchType: String, InputEnum, Codable, Sendable, CaseIterable, SQLBindable, SQLDecodable {
    case naturalLanguage = "natural_language"
    case category
    case servicePill = "service_pill"
    case filter
    case searchHistory = "search_history"
}

/// Whose searches: a user's, or those of a guest's session.
package enum SearchOwner: Sendable, Hashable {
    case user(ULID)
    case guest(String)

    var userID: ULID? { if case .user(let id) = self { id } else { nil } }
    var guestSessionID: String? { if case .guest(let id) = self { id } else { nil } }

    var condition: SQL {
        switch self {
        case .user(let id): "user_id = \(id)"
        case .guest(let id): "guest_session_id = \(id)"
        }
    }

    /// The one who is signed in, else the guest who names a session.
    static func of(_ context: Context, guest: String?) throws -> SearchOwner {
        if context.actor.type == .user, let id = try? context.userID() { return .user(id) }
        guard let guest else {
            throw Failure(
                .unauthenticated, "Sign in, or send guest_session_id.", reason: "no_search_owner")
        }
        return .guest(guest)
    }
}

/// One row of `search_history`: a text that somebody searched for, once however often.
package struct SearchHistory: Codable, Sendable, RowDecodable {
    package var id: ULID
    package var searchQuery: String
    package var searchType: SearchType
    package var resultsCount: Int?
    package var searchCount: Int
    package var firstSearchedAt: Instant
    package var lastSearchedAt: Instant

    private static let columns: SQL = """
        id, search_query, search_type, results_count, search_count, first_searched_at, last_searched_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        searchQuery = try row.get(at: 1)
        searchType = try row.get(at: 2)
        resultsCount = try row.get(at: 3)
        searchCount = try row.get(at: 4)
        firstSearchedAt = try row.get(at: 5)
        lastSearchedAt = try row.get(at: 6)
    }

    static func list(_ owner: SearchOwner, limit: Int, _ db: Snapshot) throws -> [SearchHistory] {
        try db.all(
            """
            SELECT \(columns) FROM search_history WHERE \(owner.condition) AND deleted_at IS NULL
            AND converted_at IS NULL ORDER BY last_searched_at DESC, id DESC LIMIT \(limit)
            """)
    }

    /// Adds a search, or counts it when the same text is there; one that was deleted comes back.
    /// One that a user took over begins anew: what was counted before is theirs.
    static func record(
        _ text: String, _ type: SearchType, results: Int?, for owner: SearchOwner, _ tx: Transaction,
        _ context: Context
    ) throws -> SearchHistory {
        let target: SQL = owner.userID == nil ? "guest_session_id" : "user_id"
        let found: SearchHistory? = try tx.one(
            """
            INSERT INTO search_history (id, user_id, guest_session_id, search_query, normalized_query, \
            search_type, results_count, search_count, first_searched_at, last_searched_at)
            VALUES (\(context.newID()), \(owner.userID), \(owner.guestSessionID), \(text), \
            \(SearchText.normalized(text)), \(type), \(results), 1, \(context.now), \(context.now))
            ON CONFLICT (\(target), normalized_query) DO UPDATE SET \
            search_count = 1 + CASE WHEN search_history.converted_at IS NULL \
            THEN search_history.search_count ELSE 0 END, \
            first_searched_at = CASE WHEN search_history.converted_at IS NULL \
            THEN search_history.first_searched_at ELSE excluded.first_searched_at END, \
            search_query = excluded.search_query, \
            search_type = excluded.search_type, last_searched_at = excluded.last_searched_at, \
            results_count = COALESCE(excluded.results_count, search_history.results_count), \
            deleted_at = NULL, converted_at = NULL, converted_to_user_id = NULL
            RETURNING \(columns)
            """)
        guard let found else { throw Failure(.internal, "An upsert returned no row.") }
        return found
    }

    /// Hides one from its owner; it is removed for good later (domain specification §9.3).
    static func delete(_ id: ULID, of owner: SearchOwner, _ tx: Transaction, _ context: Context) throws {
        let hidden = try tx.run(
            """
            UPDATE search_history SET deleted_at = \(context.now)
            WHERE id = \(id) AND \(owner.condition) AND deleted_at IS NULL
            """
        ).affected
        guard hidden == 1 else {
            throw Failure(.notFound, "There is no search with the id \(id) in your history.")
        }
    }

    /// Makes a guest's searches those of the user who has signed in.
    ///
    /// Repeating it changes nothing. The guest's rows stay, marked as converted. To be
    /// called in the transaction of the sign-in.
    /// - Returns: how many searches were taken over.
    @discardableResult
    package static func adopt(guestSession: String, user: ULID, _ tx: Transaction, _ context: Context) throws
        -> Int
    {
        let rows: [SearchHistory] = try tx.all(
            """
            UPDATE search_history SET converted_to_user_id = \(user), converted_at = \(context.now)
            WHERE guest_session_id = \(guestSession) AND converted_at IS NULL AND deleted_at IS NULL
            RETURNING \(columns)
            """)
        // In one order, so that two sign-ins of the same user cannot deadlock.
        let sorted = rows.sorted { $0.searchQuery < $1.searchQuery }
        try tx.runMany(
            sorted.map { row in
                """
                INSERT INTO search_history (id, user_id, search_query, normalized_query, search_type, \
                results_count, search_count, first_searched_at, last_searched_at)
                VALUES (\(context.newID()), \(user), \(row.searchQuery), \
                \(SearchText.normalized(row.searchQuery)), \(row.searchType), \(row.resultsCount), \
                \(row.searchCount), \(row.firstSearchedAt), \(row.lastSearchedAt))
                ON CONFLICT (user_id, normalized_query) DO UPDATE SET \
                search_count = search_history.search_count + excluded.search_count, \
                last_searched_at = CASE WHEN excluded.last_searched_at > search_history.last_searched_at \
                THEN excluded.last_searched_at ELSE search_history.last_searched_at END, \
                first_searched_at = CASE WHEN excluded.first_searched_at < search_history.first_searched_at \
                THEN excluded.first_searched_at ELSE search_history.first_searched_at END, deleted_at = NULL
                """
            })
        return rows.count
    }
}
