import Kernel
import Storage

/// Finds services of the catalogue by a name that may be misspelt.
///
/// A service matches whose name, slug, description or search terms hold the text, or
/// whose name, slug or description is like it: ``TrigramSimilarity``. The catalogue has
/// some hundred rows and is read whole, so both databases answer alike. One statement.
struct ServiceLookup: Query {
    static let name = "service_lookup"
    static let title = "Look up a service"
    static let summary =
        "Services of the catalogue whose name, slug, description or search terms match, the likest first."
    static let route = Route.get("services/lookup")

    static let maximumMatches = 10

    @Input("Part of a name, or a name that may be misspelt.", .length(2...100)) var query: String

    struct Output: Codable, Sendable {
        struct Found: Codable, Sendable {
            var query: String
            var matches: [ServiceItem]
            /// Of the matches that are shown.
            var count: Int
            /// Of all matches; more than `count` when the list was cut.
            var totalCount: Int
            /// Said only when nothing matched.
            var message: String?
        }
        var meta: AnswerMeta
        var data: Found
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let text = SearchText.normalized(query)
        let rows = text.isEmpty ? [] : try await db.read { try Candidate.all($0) }
        let found = Self.ranked(rows, text)
        let matches: [ServiceItem] = found.prefix(Self.maximumMatches).map { $0.match }
        return Output(
            meta: AnswerMeta(context),
            data: .init(
                query: query, matches: matches, count: matches.count, totalCount: found.count,
                message: matches.isEmpty ? "No service of the catalogue matches '\(query)'." : nil))
    }

    /// The rows that match, the likest first; those that are as like stay in the order of the catalogue.
    private static func ranked(_ rows: [Candidate], _ text: String) -> [Candidate] {
        var scored: [(index: Int, row: Candidate, likeness: Double)] = []
        for (index, row) in rows.enumerated() where row.matches(text) {
            scored.append((index, row, row.likeness(text)))
        }
        scored.sort { a, b in a.likeness == b.likeness ? a.index < b.index : a.likeness > b.likeness }
        return scored.map { $0.row }
    }
}

/// A service with the words that it is found by.
private struct Candidate: RowDecodable, Sendable {
    let match: ServiceItem
    let description: String
    let searchTerms: [String]

    init(row: Row) throws {
        match = try ServiceItem(row: row)
        description = try row.get(at: 6, as: String?.self) ?? ""
        searchTerms = try row.get(at: 7, as: JSONList<String>.self).elements
    }

    static func all(_ db: Snapshot) throws -> [Candidate] {
        try db.all(ServiceItem.selection(adding: ", s.description, s.search_terms"))
    }

    func matches(_ text: String) -> Bool {
        let fields = [match.name, match.slug, description]
        return (fields + searchTerms).contains { $0.lowercased().contains(text) }
            || fields.contains { TrigramSimilarity.of($0, text) >= TrigramSimilarity.threshold }
    }

    func likeness(_ text: String) -> Double {
        max(TrigramSimilarity.of(match.name, text), TrigramSimilarity.of(match.slug, text))
    }
}

/// How alike two texts are: the share of three-letter sequences that both have, 0 to 1.
///
/// As PostgreSQL's `pg_trgm` counts them ("F.35. pg_trgm"): of each word, with two
/// spaces before it and one behind.
enum TrigramSimilarity {
    static let threshold = 0.3

    static func of(_ a: String, _ b: String) -> Double {
        let (a, b) = (trigrams(a), trigrams(b))
        let all = a.union(b).count
        return all == 0 ? 0 : Double(a.intersection(b).count) / Double(all)
    }

    private static func trigrams(_ text: String) -> Set<String> {
        var found: Set<String> = []
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            let letters = Array("  \(word) ")
            for start in 0...(letters.count - 3) { found.insert(String(letters[start..<(start + 3)])) }
        }
        return found
    }
}
