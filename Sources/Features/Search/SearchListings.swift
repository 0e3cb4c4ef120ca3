import Kernel
import Storage

/// Searches services and instructors by words.
///
/// Seven statements at most, whatever matches. The search itself is written down
/// afterwards, in a transaction of its own; when that fails it has answered all
/// the same.
struct SearchListings: Query {
    static let name = "search"
    static let title = "Search"
    static let summary = "Search for services and instructors by words."
    static let audience = Audience.anyone
    static let route = Route.get("search")
    static let isRemembered = true

    /// More are found of no search.
    static let maximumResults = 50

    @Input("The words.", .length(1...200)) var q: String
    @Input("Rows to return.", .range(1...50)) var limit = 20
    @Input("The guest's session, so that searches can be told apart.", .length(8...100)) var sessionID:
        String?

    struct Result: Codable, Sendable {
        var instructorServiceID: ULID
        var serviceCatalogID: ULID
        var serviceName: String
        var categoryName: String
        /// The user's id.
        var instructorID: ULID
        var instructorProfileID: ULID
        var firstName: String
        var lastInitial: String
        /// In dollars.
        var hourlyRate: Double
        var hourlyRateCents: Int
        var locationTypes: [String]
        var score: Double
    }

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            /// What clicks are reported with.
            var searchQueryID: ULID
            var query: String
            var normalizedQuery: String
            var parsingMode: String
            /// At most 50.
            var totalResults: Int
            var returned: Int
            var latencyMs: Int
        }
        var results: [Result]
        /// Services that match, whether or not anybody teaches them.
        var services: [MatchedService]
        var meta: Meta
    }

    struct MatchedService: Codable, Sendable {
        var id: ULID
        var name: String
        var categoryName: String
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let words = SearchText.tokens(q)
        let (results, services) = try await db.read { try Self.find(words, $0) }
        let elapsed = context.environment.now() - context.now
        let shown = Array(results.prefix(limit))
        return Output(
            results: shown,
            services: services.map {
                MatchedService(id: $0.id, name: $0.name, categoryName: $0.categoryName)
            },
            meta: .init(
                searchQueryID: context.newID(), query: q, normalizedQuery: SearchText.normalized(q),
                parsingMode: "regex", totalResults: results.count, returned: shown.count,
                latencyMs: Int(elapsed / .milliseconds(1))))
    }

    private static func find(_ words: [String], _ db: Snapshot) throws -> ([Result], [CatalogService]) {
        let ranking = try SearchConfiguration.current(db).ranking
        let matches = try SearchIndex.matches(words, db)
        let all = try CatalogService.active(db)
        let found = ranking.order(all.filter { matches[$0.id] != nil }, matches)
        let taught = try CatalogService.taught(among: found.map(\.service.id), db)
        let best = Array(found.filter { taught.contains($0.service.id) }.prefix(ranking.maximumServices))
        let teaching = try SearchCandidate.teaching(
            best.map(\.service.id), limit: maximumResults, branches: ranking.maximumServices, db)
        let named = try SearchCandidate.named(words, limit: maximumResults, db)
        let scores = Dictionary(best.map { ($0.service.id, $0.score) }, uniquingKeysWith: { a, _ in a })
        let services = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        var results: [ULID: Result] = [:]
        for candidate in teaching + named {
            guard let service = services[candidate.catalogID] else { continue }
            let score = ranking.score(
                service: scores[service.id] ?? 0, isNamed: candidate.isNamed(by: words),
                isFounding: candidate.isFounding)
            results[candidate.serviceID] = Result(candidate, service, score)
        }
        let sorted = results.values.sorted {
            $0.score == $1.score ? $0.instructorServiceID < $1.instructorServiceID : $0.score > $1.score
        }
        return (Array(sorted.prefix(maximumResults)), found.prefix(maximumResults).map(\.service))
    }

    func remember(_ output: Output, _ tx: Transaction, _ context: Context) throws {
        var services: [ULID] = []
        for result in output.results.prefix(10) where !services.contains(result.serviceCatalogID) {
            services.append(result.serviceCatalogID)
        }
        let record = SearchRecord(
            id: output.meta.searchQueryID, query: q,
            resultIDs: output.results.map(\.instructorServiceID), serviceIDs: services,
            resultCount: output.meta.totalResults, userID: try? context.userID(),
            sessionID: sessionID ?? context.actor.sessionID, latencyMilliseconds: output.meta.latencyMs,
            isDegraded: false)
        try record.insert(tx, at: context.now)
    }
}

extension SearchListings.Result {
    init(_ candidate: SearchCandidate, _ service: CatalogService, _ score: Double) {
        instructorServiceID = candidate.serviceID
        serviceCatalogID = service.id
        serviceName = service.name
        categoryName = service.categoryName
        instructorID = candidate.userID
        instructorProfileID = candidate.profileID
        firstName = candidate.firstName
        lastInitial = String(candidate.lastName.prefix(1))
        hourlyRate = DollarAmount(cents: candidate.hourlyRateCents).dollars
        hourlyRateCents = candidate.hourlyRateCents
        locationTypes =
            (candidate.offersTravel || candidate.offersAtLocation ? ["in_person"] : [])
            + (candidate.offersOnline ? ["online"] : [])
        self.score = score
    }
}
