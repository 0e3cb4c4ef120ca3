import Kernel

/// In which order results are shown; the numbers can be set by administrators.
struct SearchRanking: Codable, Sendable, Hashable {
    /// A founding instructor's score is multiplied by this; kept with the pricing.
    var foundingBoost = PricingConfig().foundingSearchBoost
    /// How much a service's demand (0 to 100) adds to its score, at most.
    var demandShare = 0.5
    /// What an instructor's own name counts.
    var nameWeight = 12.0
    /// Services whose instructors are looked at, the best first.
    var maximumServices = 8

    /// Text, then demand; services that nobody was measured for lose nothing.
    func score(_ service: CatalogService, text: Double) -> Double {
        text * (1 + (service.demand?.score ?? 0) / 100 * demandShare)
    }

    func score(service: Double, isNamed: Bool, isFounding: Bool) -> Double {
        (service + (isNamed ? nameWeight : 0)) * (isFounding ? foundingBoost : 1)
    }

    /// The services with their scores, the best first; of the same score in the order of the catalogue.
    func order(_ services: [CatalogService], _ matches: [ULID: Double]) -> [(
        service: CatalogService, score: Double
    )] {
        let scored = services.enumerated().map { index, service in
            (index: index, service: service, score: score(service, text: matches[service.id] ?? 0))
        }
        return scored.sorted { $0.score == $1.score ? $0.index < $1.index : $0.score > $1.score }
            .map { ($0.service, $0.score) }
    }

    static func order(_ services: [CatalogService], _ matches: [ULID: Double]) -> [(
        service: CatalogService, score: Double
    )] {
        SearchRanking().order(services, matches)
    }
}
