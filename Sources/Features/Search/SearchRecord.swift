import JSON
import Kernel
import Storage

/// One row of `search_queries`: what was asked, by whom, and what it found.
struct SearchRecord: Sendable {
    var id: ULID
    var query: String
    var resultIDs: [ULID]
    var serviceIDs: [ULID]
    var resultCount: Int
    var userID: ULID?
    var sessionID: String?
    var latencyMilliseconds: Int
    var isDegraded: Bool

    /// Searches; the dimension is one of ``Spread``.
    static let tally = Tally("searches")
    /// Searches by the service they showed.
    static let serviceTally = Tally("searches.service")

    /// How many results a search had (domain specification §8.1).
    enum Spread: String, CaseIterable, Sendable {
        case none = "0"
        case few = "1-5"
        case some = "6-10"
        case many = "11+"

        init(_ count: Int) {
            self =
                switch count {
                case ...0: .none
                case 1...5: .few
                case 6...10: .some
                default: .many
                }
        }
    }

    func insert(_ tx: Transaction, at time: Instant) throws {
        try tx.run(
            """
            INSERT INTO search_queries (id, original_query, normalized_query, parsing_mode, result_count, \
            top_result_ids, user_id, session_id, total_latency_ms, cache_hit, degraded, created_at)
            VALUES (\(id), \(query), \(SearchText.normalized(query)), 'regex', \(resultCount), \
            \(JSONList(resultIDs.prefix(10).map(\.description))), \(userID), \(sessionID), \
            \(latencyMilliseconds), \(false), \(isDegraded), \(time))
            """)
        // The time of the id, because windows of rows go by ids.
        try Self.tally.add(1, at: id.instant, [Spread(resultCount).rawValue], tx)
        var services = TallyChanges(Self.serviceTally)
        for service in serviceIDs { services.add(1, at: id.instant, [service.description]) }
        try tx.runMany(services.statements)
    }
}
