import Kernel
package import Storage

/// The words by which services are found: `search_tokens`, each with its weight.
///
/// Names weigh more than terms, terms more than subcategories, and those more
/// than categories. A word of a search finds the words that begin with it, by a
/// range of the primary key, so nothing in it is ever a pattern.
package enum SearchIndex {
    static let nameWeight = 10
    static let termWeight = 6
    static let subcategoryWeight = 4
    static let categoryWeight = 3
    private static let ignored: Set<String> = ["and", "the", "for", "as"]
    /// What the beginning of a word counts, of what the word counts.
    static let prefixShare = 0.6
    private static let maximumRows = 2_000

    /// Text score by service; empty for no words.
    ///
    /// A service's score is the sum of the best match of every word, times the
    /// share of the words that match at all.
    static func matches(_ words: [String], _ db: Snapshot) throws -> [ULID: Double] {
        guard !words.isEmpty else { return [:] }
        let ranges: [SQL] = words.map { "(token >= \($0) AND token < \(SearchText.end(of: $0)))" }
        let rows = try db.rows(
            """
            SELECT token, service_id, weight FROM search_tokens
            WHERE \(SQL.joined(ranges, separator: " OR ")) LIMIT \(maximumRows)
            """)
        var best: [ULID: [Double]] = [:]
        for row in rows {
            let (token, id): (String, ULID) = (try row.get(at: 0), try row.get(at: 1))
            let weight = Double(try row.get(at: 2, as: Int.self))
            for (index, word) in words.enumerated() where token.hasPrefix(word) {
                let score = token == word ? weight : weight * prefixShare
                var scores = best[id] ?? Array(repeating: 0, count: words.count)
                scores[index] = max(scores[index], score)
                best[id] = scores
            }
        }
        return best.mapValues { scores in
            scores.reduce(0, +) * Double(scores.count { $0 > 0 }) / Double(words.count)
        }
    }

    /// Writes the words of services anew; called by whatever changes a service.
    package static func refresh(_ services: [CatalogService], _ tx: Transaction) throws {
        try tx.run("DELETE FROM search_tokens WHERE service_id \(in: services.map(\.id))")
        let rows: [SQL] = services.flatMap { service in
            tokens(service).sorted { $0.key < $1.key }.map { "(\($0.key), \(service.id), \($0.value))" }
        }
        try tx.runMany(SQL.inserts("INSERT INTO search_tokens (token, service_id, weight) VALUES", rows))
    }

    /// The words of a service with their weights.
    static func tokens(_ service: CatalogService) -> [String: Int] {
        let sources = [
            (service.name, nameWeight), (service.searchTerms.joined(separator: " "), termWeight),
            (service.subcategoryName, subcategoryWeight), (service.categoryName, categoryWeight),
        ]
        var tokens: [String: Int] = [:]
        for (text, weight) in sources {
            for word in SearchText.words(text) where word.utf8.count > 1 && !ignored.contains(word) {
                tokens[word] = max(tokens[word] ?? 0, weight)
            }
        }
        return tokens
    }
}
