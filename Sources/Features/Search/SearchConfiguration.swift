import JSON
import Kernel
import Storage

/// The one row of `search_config`; the defaults of ``SearchRanking`` without it.
struct SearchConfiguration: Codable, Sendable {
    var ranking: SearchRanking
    /// Nil while the defaults hold.
    var updatedAt: Instant?

    static func current(_ db: Snapshot) throws -> SearchConfiguration {
        guard let row = try db.rows("SELECT body, updated_at FROM search_config WHERE id = 1").first else {
            return SearchConfiguration(ranking: SearchRanking(), updatedAt: nil)
        }
        let body = try JSONValue(parsing: try row.get(at: 0, as: String.self))
        return SearchConfiguration(
            ranking: try JSONCoding.decode(SearchRanking.self, from: body), updatedAt: try row.get(at: 1))
    }

    /// Stores other numbers, or with nil the defaults again, and says so.
    static func store(_ ranking: SearchRanking?, _ tx: Transaction, _ context: Context) throws
        -> SearchConfiguration
    {
        let old = try current(tx).ranking
        if let ranking {
            let body = try JSONCoding.value(ranking).text
            try tx.run(
                """
                INSERT INTO search_config (id, body, updated_at) VALUES (1, \(body), \(context.now))
                ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at
                """)
        } else {
            try tx.run("DELETE FROM search_config WHERE id = 1")
        }
        let new = ranking ?? SearchRanking()
        try tx.audit(
            "search.config_update", Subject("search_config", nil),
            changes: changes(from: try recorded(old), to: try recorded(new)))
        return try current(tx)
    }

    private static func recorded(_ ranking: SearchRanking) throws -> JSONObject {
        try JSONCoding.value(ranking).objectValue ?? [:]
    }
}

/// The numbers of the ranking.
struct ReadSearchConfig: Query {
    static let name = "search_config_read"
    static let summary = "The numbers by which searches are ranked."
    static let audience = Audience.holders(.viewSystemAnalytics)
    static let route = Route.get("search/config")

    typealias Output = SearchConfiguration

    func run(_ db: Reader, _ context: Context) async throws -> SearchConfiguration {
        try await db.read { try SearchConfiguration.current($0) }
    }
}

/// Changes numbers of the ranking.
struct UpdateSearchConfig: Command {
    static let name = "search_config_update"
    static let summary = "Change the numbers by which searches are ranked; what is left out stays."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.adminManage)
    static let action = "search.config_update"
    static let route = Route.put("search/config")

    @Input("What a founding instructor's score is multiplied by.", .range(1...5)) var foundingBoost: Double?
    @Input("How much demand adds to a score, at most.", .range(0...2)) var demandShare: Double?
    @Input("What an instructor's own name counts.", .range(0...100)) var nameWeight: Double?
    @Input("Services whose instructors are looked at.", .range(1...20)) var maximumServices: Int?

    typealias Output = SearchConfiguration

    func run(_ tx: Transaction, _ context: Context) throws -> SearchConfiguration {
        var ranking = try SearchConfiguration.current(tx).ranking
        ranking.foundingBoost = foundingBoost ?? ranking.foundingBoost
        ranking.demandShare = demandShare ?? ranking.demandShare
        ranking.nameWeight = nameWeight ?? ranking.nameWeight
        ranking.maximumServices = maximumServices ?? ranking.maximumServices
        return try SearchConfiguration.store(ranking, tx, context)
    }
}

/// Brings the numbers of the ranking back.
struct ResetSearchConfig: Command {
    static let name = "search_config_reset"
    static let summary = "Rank searches by the numbers of the beginning again."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.adminManage)
    static let action = "search.config_reset"
    static let route = Route.post("search/config/reset")

    typealias Output = SearchConfiguration

    func run(_ tx: Transaction, _ context: Context) throws -> SearchConfiguration {
        try SearchConfiguration.store(nil, tx, context)
    }
}
