package import Kernel
package import Storage

/// A category of the catalogue.
package struct ServiceCategory: Codable, Sendable, RowDecodable {
    package var id: ULID
    package var name: String
    package var slug: String
    package var subtitle: String?
    package var description: String?
    package var displayOrder: Int
    package var iconName: String?

    package init(row: Row) throws {
        id = try row.get(at: 0)
        name = try row.get(at: 1)
        slug = try row.get(at: 2)
        subtitle = try row.get(at: 3)
        description = try row.get(at: 4)
        displayOrder = try row.get(at: 5)
        iconName = try row.get(at: 6)
    }

    static func all(_ db: Snapshot) throws -> [ServiceCategory] {
        try db.all(
            """
            SELECT id, name, slug, subtitle, description, display_order, icon_name FROM service_categories
            ORDER BY display_order, id
            """)
    }
}

/// A subcategory of the catalogue.
package struct ServiceSubcategory: Codable, Sendable, RowDecodable {
    package var id: ULID
    package var categoryID: ULID
    package var name: String
    package var slug: String
    package var description: String?
    package var displayOrder: Int

    package init(row: Row) throws {
        id = try row.get(at: 0)
        categoryID = try row.get(at: 1)
        name = try row.get(at: 2)
        slug = try row.get(at: 3)
        description = try row.get(at: 4)
        displayOrder = try row.get(at: 5)
    }

    static func active(_ db: Snapshot) throws -> [ServiceSubcategory] {
        try db.all(
            """
            SELECT id, category_id, name, slug, description, display_order FROM service_subcategories
            WHERE is_active ORDER BY display_order, id
            """)
    }
}

/// A service of the catalogue with its places in it, and its demand when it was measured.
///
/// The catalogue has some hundred rows and is read whole.
package struct CatalogService: Sendable, RowDecodable {
    package var id: ULID
    package var subcategoryID: ULID
    package var subcategoryName: String
    package var categoryID: ULID
    package var categoryName: String
    package var categorySlug: String
    package var name: String
    package var slug: String
    package var description: String?
    package var searchTerms: [String]
    package var displayOrder: Int
    package var onlineCapable: Bool
    package var requiresCertification: Bool
    /// Nil until the analytics job has run.
    package var demand: ServiceDemand?

    package init(row: Row) throws {
        id = try row.get(at: 0)
        subcategoryID = try row.get(at: 1)
        subcategoryName = try row.get(at: 2)
        categoryID = try row.get(at: 3)
        categoryName = try row.get(at: 4)
        categorySlug = try row.get(at: 5)
        name = try row.get(at: 6)
        slug = try row.get(at: 7)
        description = try row.get(at: 8)
        searchTerms = try row.get(at: 9, as: JSONList<String>.self).elements
        displayOrder = try row.get(at: 10)
        onlineCapable = try row.get(at: 11)
        requiresCertification = try row.get(at: 12)
        guard let month = try row.get(at: 13, as: Int?.self) else { return }
        demand = ServiceDemand(
            searches7: try row.get(at: 14), searches30: month, bookings30: try row.get(at: 15),
            viewToBooking: try row.get(at: 16), activeInstructors: try row.get(at: 17),
            medianCents: try row.get(at: 18))
    }

    private static let selection: SQL = """
        SELECT s.id, s.subcategory_id, b.name, c.id, c.name, c.slug, s.name, s.slug, s.description, \
        s.search_terms, s.display_order, s.online_capable, s.requires_certification, \
        a.search_count_30d, a.search_count_7d, a.booking_count_30d, a.view_to_booking_rate, \
        a.active_instructors, a.price_percentile_50_cents \
        FROM service_catalog s JOIN service_subcategories b ON b.id = s.subcategory_id \
        JOIN service_categories c ON c.id = b.category_id \
        LEFT JOIN service_analytics a ON a.service_catalog_id = s.id WHERE s.is_active
        """

    /// Active services in the order of the catalogue; `condition` begins with ` AND`.
    package static func active(_ db: Snapshot, where condition: SQL = "") throws -> [CatalogService] {
        try db.all(
            "\(selection)\(condition) ORDER BY c.display_order, b.display_order, s.display_order, s.id")
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> CatalogService? {
        try db.one("\(selection) AND s.id = \(id)")
    }

    /// Services that somebody live teaches; `condition` begins with ` AND` and is about `i`.
    static func taught(_ db: Snapshot, where condition: SQL = "") throws -> [CatalogService] {
        try active(db, where: " AND \(isTaught(condition))")
    }

    /// Which of these services somebody live teaches.
    static func taught(among ids: [ULID], _ db: Snapshot) throws -> Set<ULID> {
        Set(
            try db.values(
                "SELECT s.id FROM service_catalog s WHERE s.id \(in: ids) AND \(isTaught(""))", as: ULID.self)
        )
    }

    private static func isTaught(_ condition: SQL) -> SQL {
        """
        EXISTS (SELECT 1 FROM instructor_services i
        JOIN instructor_profiles p ON p.id = i.instructor_profile_id
        WHERE i.service_catalog_id = s.id AND i.is_active AND p.is_live\(condition))
        """
    }
}

/// A service as clients see it.
package struct CatalogServiceView: Codable, Sendable {
    package var id: ULID
    package var subcategoryID: ULID
    package var subcategoryName: String
    package var categoryID: ULID
    package var categoryName: String
    package var name: String
    package var slug: String
    package var description: String?
    package var searchTerms: [String]
    package var displayOrder: Int
    package var onlineCapable: Bool
    package var requiresCertification: Bool
    /// Live instructors when analytics were last calculated; nil before.
    package var activeInstructors: Int?
    /// Of the hourly rates, in cents; nil when not measured.
    package var medianHourlyRateCents: Int?
    package var demandScore: Double?
    package var isTrending: Bool?

    package init(_ service: CatalogService) {
        id = service.id
        subcategoryID = service.subcategoryID
        subcategoryName = service.subcategoryName
        categoryID = service.categoryID
        categoryName = service.categoryName
        name = service.name
        slug = service.slug
        description = service.description
        searchTerms = service.searchTerms
        displayOrder = service.displayOrder
        onlineCapable = service.onlineCapable
        requiresCertification = service.requiresCertification
        activeInstructors = service.demand?.activeInstructors
        medianHourlyRateCents = service.demand?.medianCents
        demandScore = service.demand?.score
        isTrending = service.demand?.isTrending
    }
}

/// How much a service is wanted; domain specification §1.3.
package struct ServiceDemand: Sendable, Hashable {
    package var searches7: Int
    package var searches30: Int
    /// Nil when bookings do not say which service they are of.
    package var bookings30: Int?
    package var viewToBooking: Double?
    package var activeInstructors: Int
    package var medianCents: Int?

    /// 0 to 100; what was not measured counts nothing.
    package var score: Double {
        min(Double(searches30) / 100, 1) * 40 + min(Double(bookings30 ?? 0) / 20, 1) * 40
            + (viewToBooking ?? 0) * 20
    }

    /// Searched for a fifth more often per day this week than this month.
    package var isTrending: Bool { Double(searches7) / 7 > 1.2 * Double(searches30) / 30 }
}
