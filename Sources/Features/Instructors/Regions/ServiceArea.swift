import JSON
package import Kernel
package import Storage

/// The values of `instructor_service_areas.coverage_type`.
package enum CoverageType: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case primary, secondary
    case byRequest = "by_request"
}

/// A neighbourhood in which an instructor teaches: an active row of
/// `instructor_service_areas` with its region.
package struct ServiceArea: Sendable, RowDecodable {
    package var region: Region
    package var instructorID: ULID
    package var coverage: CoverageType
    package var maxDistanceMiles: Int?

    package init(row: Row) throws {
        region = try Region(row: row)
        instructorID = try row.get(at: Region.columnCount)
        coverage = try row.get(at: Region.columnCount + 1)
        maxDistanceMiles = try row.get(at: Region.columnCount + 2)
    }

    /// The active areas of instructors (by user id), in one statement.
    package static func of(_ users: [ULID], _ db: Snapshot) throws -> [ServiceArea] {
        try db.all(
            """
            SELECT \(Region.columns), a.instructor_id, a.coverage_type, a.max_distance_miles
            FROM instructor_service_areas a JOIN region_boundaries r ON r.id = a.neighborhood_id
            WHERE a.instructor_id \(in: users.map(\.description)) AND a.is_active
            ORDER BY r.parent_region, r.region_name, a.instructor_id
            """)
    }

    package static func of(_ user: ULID, _ db: Snapshot) throws -> [ServiceArea] { try of([user], db) }

    /// Whether a lesson at that place is in one of the instructor's active areas.
    package static func covers(_ point: Coordinates, of user: ULID, _ db: Snapshot) throws -> Bool {
        try of(user, db).contains { $0.region.contains(point) }
    }

    /// Makes these the instructor's active areas and no others.
    ///
    /// - Throws: ``Kernel/Failure/Code/invalidInput`` naming neighbourhoods that do not exist.
    package static func replace(
        _ areas: [(neighborhood: ULID, coverage: CoverageType, maxDistanceMiles: Int?)], of user: ULID,
        _ tx: Transaction, _ context: Context
    ) throws {
        let wanted = Dictionary(areas.map { ($0.neighborhood, $0) }, uniquingKeysWith: { _, last in last })
        let ids = wanted.keys.sorted()
        let known: [ULID] = try tx.values(
            "SELECT id FROM region_boundaries WHERE id \(in: ids.map(\.description))")
        let unknown = Set(ids).subtracting(known).map(\.description).sorted()
        guard unknown.isEmpty else {
            throw Failure.invalid(
                [.init("areas", "are not neighbourhoods: \(unknown.prefix(5).joined(separator: ", "))")],
                hint: "GET /api/v1/addresses/regions/neighborhoods lists them.")
        }
        let before = try of(user, tx)
        var statements: [SQL] = [
            """
            UPDATE instructor_service_areas SET is_active = \(false), updated_at = \(context.now)
            WHERE instructor_id = \(user) AND is_active AND neighborhood_id \(notIn: ids.map(\.description))
            """
        ]
        statements += SQL.inserts(
            """
            INSERT INTO instructor_service_areas (instructor_id, neighborhood_id, is_active, coverage_type, \
            max_distance_miles, created_at, updated_at) VALUES
            """,
            ids.compactMap { wanted[$0] }.map { area in
                """
                (\(user), \(area.neighborhood), \(true), \(area.coverage), \(area.maxDistanceMiles), \
                \(context.now), \(context.now))
                """
            },
            """
             ON CONFLICT (instructor_id, neighborhood_id) DO UPDATE SET is_active = excluded.is_active, \
            coverage_type = excluded.coverage_type, max_distance_miles = excluded.max_distance_miles, \
            updated_at = excluded.updated_at
            """)
        try tx.runMany(statements)
        let difference = changes(from: ["areas": names(before)], to: ["areas": names(try of(user, tx))])
        guard !difference.isEmpty else { return }
        try tx.audit(
            "instructor.service_areas_update", Subject("user", user.description), changes: difference)
    }

    private static func names(_ areas: [ServiceArea]) -> JSONValue {
        .array(areas.map { .string("\($0.region.code) \($0.coverage.rawValue)") })
    }
}

/// An area as people see it.
package struct ServiceAreaView: Codable, Sendable {
    package var neighborhoodID: ULID
    package var code: String
    package var name: String
    package var borough: String
    package var coverageType: CoverageType
    package var maxDistanceMiles: Int?

    package init(_ area: ServiceArea) {
        neighborhoodID = area.region.id
        code = area.region.code
        name = area.region.name
        borough = area.region.parent
        coverageType = area.coverage
        maxDistanceMiles = area.maxDistanceMiles
    }
}
