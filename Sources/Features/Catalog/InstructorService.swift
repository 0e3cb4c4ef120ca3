import JSON
package import Kernel
package import Storage

/// One row of `instructor_services`: what an instructor teaches, for how much and in which ways.
package struct InstructorService: Sendable, RowDecodable {
    package var id: ULID
    package var profileID: ULID
    package var serviceCatalogID: ULID
    package var hourlyRateCents: Int
    package var description: String?
    package var requirements: String?
    package var experienceLevel: String?
    package var durationOptions: [Int]
    package var equipmentRequired: [String]?
    package var levelsTaught: [String]?
    package var ageGroups: [AgeGroup]?
    package var offersTravel: Bool
    package var offersAtLocation: Bool
    package var offersOnline: Bool
    package var maxDistanceMiles: Int?
    package var isActive: Bool
    package var createdAt: Instant
    package var updatedAt: Instant

    static let columns: SQL = """
        id, instructor_profile_id, service_catalog_id, hourly_rate_cents, description, requirements, \
        experience_level, duration_options, equipment_required, levels_taught, age_groups, offers_travel, \
        offers_at_location, offers_online, max_distance_miles, is_active, created_at, updated_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        profileID = try row.get(at: 1)
        serviceCatalogID = try row.get(at: 2)
        hourlyRateCents = try row.get(at: 3)
        description = try row.get(at: 4)
        requirements = try row.get(at: 5)
        experienceLevel = try row.get(at: 6)
        durationOptions = try row.get(at: 7, as: JSONList<Int>.self).elements
        equipmentRequired = try row.get(at: 8, as: JSONList<String>?.self)?.elements
        levelsTaught = try row.get(at: 9, as: JSONList<String>?.self)?.elements
        ageGroups = try row.get(at: 10, as: JSONList<AgeGroup>?.self)?.elements
        offersTravel = try row.get(at: 11)
        offersAtLocation = try row.get(at: 12)
        offersOnline = try row.get(at: 13)
        maxDistanceMiles = try row.get(at: 14)
        isActive = try row.get(at: 15)
        createdAt = try row.get(at: 16)
        updatedAt = try row.get(at: 17)
    }

    init(_ id: ULID, of profile: ULID, _ offer: ServiceOffer, at time: Instant) {
        self.id = id
        profileID = profile
        serviceCatalogID = offer.serviceCatalogID
        isActive = true
        (createdAt, updatedAt) = (time, time)
        hourlyRateCents = offer.hourlyRate.cents
        description = offer.description.nonEmpty
        requirements = offer.requirements.nonEmpty
        experienceLevel = offer.experienceLevel.nonEmpty
        durationOptions = offer.durationOptions.sorted()
        equipmentRequired = offer.equipmentRequired
        levelsTaught = offer.levelsTaught
        ageGroups = offer.ageGroups
        offersTravel = offer.offersTravel
        offersAtLocation = offer.offersAtLocation
        offersOnline = offer.offersOnline
        maxDistanceMiles = offer.maxDistanceMiles
    }

    /// Derived from the three ways.
    package var locationTypes: [String] {
        (offersTravel || offersAtLocation ? ["in_person"] : []) + (offersOnline ? ["online"] : [])
    }

    var subject: Subject { Subject("instructor_service", id.description) }

    /// The active services of a profile, in the order in which they were added.
    package static func active(of profile: ULID, _ db: Snapshot) throws -> [InstructorService] {
        try db.all(
            """
            SELECT \(columns) FROM instructor_services WHERE instructor_profile_id = \(profile) AND is_active
            ORDER BY id
            """)
    }

    /// What the audit log says of it.
    var recorded: JSONObject {
        [
            "service_catalog_id": .string(serviceCatalogID.description),
            "hourly_rate_cents": .int(hourlyRateCents), "is_active": .bool(isActive),
            "duration_options": .array(durationOptions.map { .int($0) }),
            "offers_travel": .bool(offersTravel), "offers_at_location": .bool(offersAtLocation),
            "offers_online": .bool(offersOnline),
            "age_groups": .array((ageGroups ?? []).map { .string($0.rawValue) }),
        ]
    }
}

/// A service of an instructor as clients see it.
package struct InstructorServiceView: Codable, Sendable {
    package var id: ULID
    package var serviceCatalogID: ULID
    /// In dollars.
    package var hourlyRate: Double
    package var hourlyRateCents: Int
    package var description: String?
    package var requirements: String?
    package var experienceLevel: String?
    package var durationOptions: [Int]
    package var equipmentRequired: [String]?
    package var levelsTaught: [String]?
    package var ageGroups: [AgeGroup]?
    package var locationTypes: [String]
    package var offersTravel: Bool
    package var offersAtLocation: Bool
    package var offersOnline: Bool
    package var maxDistanceMiles: Int?
    package var isActive: Bool

    package init(_ service: InstructorService) {
        id = service.id
        serviceCatalogID = service.serviceCatalogID
        hourlyRate = DollarAmount(cents: service.hourlyRateCents).dollars
        hourlyRateCents = service.hourlyRateCents
        description = service.description
        requirements = service.requirements
        experienceLevel = service.experienceLevel
        durationOptions = service.durationOptions
        equipmentRequired = service.equipmentRequired
        levelsTaught = service.levelsTaught
        ageGroups = service.ageGroups
        locationTypes = service.locationTypes
        offersTravel = service.offersTravel
        offersAtLocation = service.offersAtLocation
        offersOnline = service.offersOnline
        maxDistanceMiles = service.maxDistanceMiles
        isActive = service.isActive
    }
}
