import Kernel
import Storage

/// A service of the catalogue as operators see it, whether it is offered or not.
struct ServiceItem: Codable, Sendable, RowDecodable {
    var id: ULID
    var name: String
    var slug: String
    var categorySlug: String?
    var categoryName: String?
    var isActive: Bool

    init(row: Row) throws {
        id = try row.get(at: 0)
        name = try row.get(at: 1)
        slug = try row.get(at: 2)
        categorySlug = try row.get(at: 3)
        categoryName = try row.get(at: 4)
        isActive = try row.get(at: 5)
    }

    /// All of them, in the order of the catalogue; `columns` begins with a comma.
    static func selection(adding columns: SQL = "") -> SQL {
        """
        SELECT s.id, s.name, s.slug, c.slug, c.name, s.is_active\(columns)
        FROM service_catalog s LEFT JOIN service_subcategories b ON b.id = s.subcategory_id
        LEFT JOIN service_categories c ON c.id = b.category_id ORDER BY s.display_order, s.name, s.id
        """
    }
}

/// The whole catalogue, services that are not offered included. One statement.
struct ServicesCatalog: Query {
    static let name = "services_catalog"
    static let title = "Service catalogue"
    static let summary = "Every service of the catalogue with its category, whether it is offered or not."
    static let route = Route.get("services/catalog")

    struct Output: Codable, Sendable {
        struct Data: Codable, Sendable {
            var services: [ServiceItem]
            var count: Int
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let services: [ServiceItem] = try await db.read { try $0.all(ServiceItem.selection()) }
        return Output(
            meta: AnswerMeta(context), data: .init(services: services, count: services.count))
    }
}
