import Kernel
import Storage

/// The categories with their subcategories.
struct ListCategories: Query {
    static let name = "services_categories"
    static let summary = "The categories of the catalogue with their subcategories."
    static let audience = Audience.anyone
    static let route = Route.get("services/categories")

    struct Category: Codable, Sendable {
        var id: ULID
        var name: String
        var slug: String
        var subtitle: String?
        var description: String?
        var displayOrder: Int
        var iconName: String?
        var subcategories: [ServiceSubcategory]
    }

    struct Output: Codable, Sendable { var categories: [Category] }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (categories, subcategories) = try await db.read { db in
            (try ServiceCategory.all(db), try ServiceSubcategory.active(db))
        }
        let below = Dictionary(grouping: subcategories, by: \.categoryID)
        return Output(
            categories: categories.map {
                Category(
                    id: $0.id, name: $0.name, slug: $0.slug, subtitle: $0.subtitle,
                    description: $0.description, displayOrder: $0.displayOrder, iconName: $0.iconName,
                    subcategories: below[$0.id] ?? [])
            })
    }
}

/// Services of the catalogue.
struct ServiceList: Codable, Sendable {
    var services: [CatalogServiceView]
    var total: Int

    init(_ services: [CatalogService]) {
        self.services = services.map { CatalogServiceView($0) }
        total = services.count
    }
}

/// The catalogue, whole or of one category.
struct ListCatalog: Query {
    static let name = "catalog_list"
    static let summary = "The services of the catalogue, or those of one category."
    static let audience = Audience.anyone
    static let route = Route.get("services/catalog")

    @Input("Only this category's slug.", .length(0...100)) var category: String?

    typealias Output = ServiceList

    func run(_ db: Reader, _ context: Context) async throws -> ServiceList {
        let slug = category.nonEmpty
        return try await db.read { db in
            ServiceList(try CatalogService.active(db, where: slug.map { " AND c.slug = \($0)" } ?? ""))
        }
    }
}

/// Services that match words.
struct SearchServices: Query {
    static let name = "services_search"
    static let summary = "Services of the catalogue that match words, the best first."
    static let audience = Audience.anyone
    static let route = Route.get("services/search")

    @Input("The words.", .length(1...200)) var q: String
    @Input("Rows to return.", .range(1...50)) var limit = 20

    typealias Output = ServiceList

    func run(_ db: Reader, _ context: Context) async throws -> ServiceList {
        let (words, limit) = (SearchText.tokens(q), limit)
        return try await db.read { db in
            let matches = try SearchIndex.matches(words, db)
            let services = try CatalogService.active(db, where: " AND s.id \(in: Array(matches.keys))")
            let best = SearchRanking.order(services, matches).prefix(limit)
            return ServiceList(best.map(\.service))
        }
    }
}

/// The most wanted services of every category.
struct ListTopServices: Query {
    static let name = "services_top_per_category"
    static let summary = "The most wanted services of every category."
    static let audience = Audience.anyone
    static let route = Route.get("services/catalog/top-per-category")

    @Input("Services per category.", .range(1...20)) var limit = 7

    struct Category: Codable, Sendable {
        var id: ULID
        var name: String
        var slug: String
        var services: [CatalogServiceView]
    }

    struct Output: Codable, Sendable { var categories: [Category] }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (categories, services) = try await db.read { db in
            (try ServiceCategory.all(db), try CatalogService.active(db))
        }
        let groups = Dictionary(grouping: services, by: \.categoryID)
        return Output(
            categories: categories.map { category in
                // Stable: services that are wanted alike stay in the order of the catalogue.
                let ranked = (groups[category.id] ?? []).enumerated().sorted {
                    let (a, b) = ($0.element.demand?.score ?? 0, $1.element.demand?.score ?? 0)
                    return a == b ? $0.offset < $1.offset : a > b
                }
                return Category(
                    id: category.id, name: category.name, slug: category.slug,
                    services: ranked.prefix(limit).map { CatalogServiceView($0.element) })
            })
    }
}

/// The services that somebody teaches now.
struct ListTaughtServices: Query {
    static let name = "services_with_instructors"
    static let summary = "The services that at least one live instructor teaches."
    static let audience = Audience.anyone
    static let route = Route.get("services/catalog/all-with-instructors")

    typealias Output = ServiceList

    func run(_ db: Reader, _ context: Context) async throws -> ServiceList {
        try await db.read { ServiceList(try CatalogService.taught($0)) }
    }
}

/// The services that somebody teaches children now.
struct ListKidsServices: Query {
    static let name = "services_kids_available"
    static let summary = "The services that at least one live instructor teaches children."
    static let audience = Audience.anyone
    static let route = Route.get("services/catalog/kids-available")

    typealias Output = ServiceList

    func run(_ db: Reader, _ context: Context) async throws -> ServiceList {
        try await db.read { ServiceList(try CatalogService.taught($0, where: " AND i.teaches_kids")) }
    }
}
