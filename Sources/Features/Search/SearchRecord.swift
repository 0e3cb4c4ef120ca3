import JSON
package import Kernel
package import Storage

/// One row of `search_queries`: what was asked, by whom, and what it found.
package struct SearchRecord: Sendable {
    package var id: ULID
    package var query: String
    package var resultIDs: [ULID]
    package var serviceIDs: [ULID]
    package var resultCount: Int
    package var userID: ULID?
    package var sessionID: String?
    package var latencyMilliseconds: Int
    package var isDegraded: Bool

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

    package init(
        id: ULID, query: String, resultIDs: [ULID], serviceIDs: [ULID], resultCount: Int, userID: ULID?,
        sessionID: String?, latencyMilliseconds: Int, isDegraded: Bool
    ) {
        self.id = id
        self.query = query
        self.resultIDs = resultIDs
        self.serviceIDs = serviceIDs
        self.resultCount = resultCount
        self.userID = userID
        self.sessionID = sessionID
        self.latencyMilliseconds = latencyMilliseconds
        self.isDegraded = isDegraded
    }

    func insert(_ tx: Transaction, at time: Instant) throws { try Self.insert([self], tx, at: time) }

    /// Adds searches with what counts them, in few statements however many there are.
    package static func insert(_ records: [SearchRecord], _ tx: Transaction, at time: Instant) throws {
        try tx.runMany(
            SQL.inserts(
                """
                INSERT INTO search_queries (id, original_query, normalized_query, parsing_mode, result_count, \
                top_result_ids, user_id, session_id, total_latency_ms, cache_hit, degraded, created_at) VALUES
                """, records.map { $0.row(at: time) }))
        // The time of the id, because windows of rows go by ids.
        var (searches, services) = (TallyChanges(tally), TallyChanges(serviceTally))
        for record in records {
            searches.add(1, at: record.id.instant, [Spread(record.resultCount).rawValue])
            for service in record.serviceIDs { services.add(1, at: record.id.instant, [service.description]) }
        }
        try tx.runMany(searches.statements + services.statements)
    }

    private func row(at time: Instant) -> SQL {
        """
        (\(id), \(query), \(SearchText.normalized(query)), 'regex', \(resultCount), \
        \(JSONList(resultIDs.prefix(10).map(\.description))), \(userID), \(sessionID), \
        \(latencyMilliseconds), \(false), \(isDegraded), \(time))
        """
    }
}
