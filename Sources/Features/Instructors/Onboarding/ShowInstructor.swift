import Kernel
import Storage

/// An instructor as strangers see them: nothing that tells who or where they are.
struct PublicInstructor: Codable, Sendable {
    /// The user's id.
    var id: ULID
    var profileID: ULID
    /// First name and the initial of the last.
    var name: String
    var bio: String?
    var yearsExperience: Int?
    var minAdvanceBookingHours: Int
    var isFoundingInstructor: Bool
    var isIdentityVerified: Bool
    var isBackgroundChecked: Bool
    var serviceAreas: [ServiceAreaView]
    var memberSince: Instant
}

/// One instructor whom students can book.
struct ShowInstructor: Query {
    static let name = "instructor_public_show"
    static let summary = "One instructor whom students can book, by user id or profile id."
    static let audience = Audience.anyone
    static let route = Route.get("instructors/:id")

    @Input("The instructor's user id or profile id.") var id: ULID
    typealias Output = PublicInstructor

    func run(_ db: Reader, _ context: Context) async throws -> PublicInstructor {
        let id = id
        return try await db.read { db in
            let found = try BookableInstructor.find(id, db)
            let areas = try ServiceArea.of(found.profile.userID, db)
            return PublicInstructor(
                id: found.profile.userID, profileID: found.profile.id, name: found.contact.publicName,
                bio: found.profile.bio, yearsExperience: found.profile.yearsExperience,
                minAdvanceBookingHours: found.profile.minAdvanceBookingHours,
                isFoundingInstructor: found.profile.isFoundingInstructor,
                isIdentityVerified: found.profile.identityVerifiedAt != nil,
                isBackgroundChecked: found.profile.bgcStatus == .passed,
                serviceAreas: areas.map(ServiceAreaView.init), memberSince: found.profile.createdAt)
        }
    }
}

/// Where one instructor teaches.
struct ShowCoverage: Query {
    static let name = "instructor_coverage_show"
    static let summary = "Where one instructor teaches, as GeoJSON."
    static let audience = Audience.anyone
    static let route = Route.get("instructors/:id/coverage")

    @Input("The instructor's user id or profile id.") var id: ULID
    typealias Output = CoverageMap

    func run(_ db: Reader, _ context: Context) async throws -> CoverageMap {
        let id = id
        return try await db.read { db in
            CoverageMap(try ServiceArea.of(try BookableInstructor.find(id, db).profile.userID, db))
        }
    }
}

/// Whether one instructor teaches at a place.
struct CheckServiceArea: Query {
    static let name = "instructor_service_area_check"
    static let summary = "Whether one instructor teaches at a place."
    static let audience = Audience.anyone
    static let route = Route.get("instructors/:id/check-service-area")

    @Input("The instructor's user id or profile id.") var id: ULID
    @Input("Latitude in degrees.", .range(-90...90)) var lat: Double
    @Input("Longitude in degrees.", .range(-180...180)) var lng: Double

    struct Output: Codable, Sendable {
        var instructorID: ULID
        var isCovered: Bool
        /// The neighbourhood that holds the place, covered or not.
        var neighborhood: String?
        var coverageType: CoverageType?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        guard let point = Coordinates(latitude: lat, longitude: lng) else {
            throw Failure.invalid([.init("lat", "and lng must be on the globe")])
        }
        let id = id
        return try await db.read { db in
            let user = try BookableInstructor.find(id, db).profile.userID
            let areas = try ServiceArea.of(user, db).filter { $0.region.contains(point) }
            let region = Region.holding(point, among: try Region.all(db))
            let best = areas.first { $0.region.id == region?.id } ?? areas.first
            return Output(
                instructorID: user, isCovered: best != nil, neighborhood: region?.name,
                coverageType: best?.coverage)
        }
    }
}

/// An instructor who is live and whose account is active.
struct BookableInstructor: RowDecodable {
    var profile: InstructorProfile
    var contact: InstructorContact

    init(row: Row) throws {
        profile = try InstructorProfile(row: row)
        contact = try InstructorContact(row: row, from: InstructorProfile.columnCount)
    }

    /// By user id or profile id; whoever cannot be booked is as good as missing.
    static func find(_ id: ULID, _ db: Snapshot) throws -> BookableInstructor {
        let found: BookableInstructor? = try db.one(
            """
            SELECT \(InstructorProfile.columns), \(InstructorContact.columns)
            FROM instructor_profiles p JOIN users u ON u.id = p.user_id
            WHERE (p.id = \(id) OR p.user_id = \(id)) AND p.is_live AND u.is_active AND u.account_status = 'active'
            """)
        guard let found else {
            throw Failure(
                .notFound, "There is no instructor with the id \(id).", reason: "instructor_not_found")
        }
        return found
    }
}
