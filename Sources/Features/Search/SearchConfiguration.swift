import JSON
import Kernel
import Storage

/// The one row of `search_config`; the defaults of ``SearchRanking`` without it. What
/// founding instructors gain is of the pricing, and stands only there.
struct SearchConfiguration: Codable, Sendable {
    var ranking: SearchRanking
    /// Nil while the defaults hold.
    var updatedAt: Instant?

    private static let boostKey = "founding_boost"

    /// Two statements.
    static func current(_ db: Snapshot) throws -> SearchConfiguration {
        let row = try db.rows("SELECT body, updated_at FROM search_config WHERE id = 1").first
        let stored = try row.map { try JSONValue(parsing: try $0.get(at: 0, as: String.self)) }
        var body = try stored?.objectValue ?? object(SearchRanking())
        body[boostKey] = .double(try PricingConfig.current(db).foundingSearchBoost)
        return SearchConfiguration(
            ranking: try JSONCoding.decode(SearchRanking.self, from: .object(body)),
            updatedAt: try row?.get(at: 1))
    }

    /// Changes numbers, and says so. Who changes some at the same time waits, and finds these.
    static func change(
        _ tx: Transaction, _ context: Context, _ edit: (inout SearchRanking) -> Void
    ) throws -> SearchConfiguration {
        try tx.lock("search_config")
        try tx.lock("platform_config")
        let old = try current(tx).ranking
        var new = old
        edit(&new)
        try store(new, tx, context)
        let pricing = try PricingConfig.current(tx)
        var boosted = pricing
        boosted.foundingSearchBoost = new.foundingBoost
        try PlatformConfig.store(PricingConfig.key, boosted, instead: pricing, tx, context)
        try tx.audit(
            "search.config_update", Subject("search_config", nil),
            changes: changes(from: try object(old), to: try object(new)))
        return try current(tx)
    }

    private static func store(_ ranking: SearchRanking, _ tx: Transaction, _ context: Context) throws {
        guard ranking != SearchRanking() else {
            try tx.run("DELETE FROM search_config WHERE id = 1")
            return
        }
        var body = try object(ranking)
        body[boostKey] = nil
        try tx.run(
            """
            INSERT INTO search_config (id, body, updated_at)
            VALUES (1, \(JSONValue.object(body).text), \(context.now))
            ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at
            """)
    }

    private static func object(_ ranking: SearchRanking) throws -> JSONObject {
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
        try SearchConfiguration.change(tx, context) { ranking in
            ranking.foundingBoost = foundingBoost ?? ranking.foundingBoost
            ranking.demandShare = demandShare ?? ranking.demandShare
            ranking.nameWeight = nameWeight ?? ranking.nameWeight
            ranking.maximumServices = maximumServices ?? ranking.maximumServices
        }
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
        try SearchConfiguration.change(tx, context) { $0 = SearchRanking() }
    }
}
