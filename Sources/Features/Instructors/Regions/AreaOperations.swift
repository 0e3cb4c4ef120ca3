import Kernel
import Storage

/// A neighbourhood in which an instructor teaches, as an argument.
struct ServiceAreaInput: InputRecord {
    @Input("The neighbourhood's id.") var neighborhoodID: ULID
    @Input("How the instructor teaches there.") var coverageType = CoverageType.primary
    @Input("Miles that the instructor travels at most.", .range(1...100)) var maxDistanceMiles: Int?

    var value: (neighborhood: ULID, coverage: CoverageType, maxDistanceMiles: Int?) {
        (neighborhoodID, coverageType, maxDistanceMiles)
    }
}

/// The caller's areas.
struct ServiceAreaList: Codable, Sendable {
    var items: [ServiceAreaView]
    var total: Int

    init(_ areas: [ServiceArea]) {
        items = areas.map(ServiceAreaView.init)
        total = areas.count
    }
}

/// Where the caller teaches.
struct ListMyAreas: Query {
    static let name = "my_service_areas_list"
    static let summary = "Where the caller teaches."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("addresses/service-areas/me")
    static let action = "instructor.view_service_areas"
    typealias Output = ServiceAreaList

    func run(_ db: Reader, _ context: Context) async throws -> ServiceAreaList {
        let user = try context.userID()
        return try await db.read { ServiceAreaList(try ServiceArea.of(user, $0)) }
    }
}

/// Makes these the caller's areas and no others.
struct ReplaceMyAreas: Command {
    static let name = "my_service_areas_replace"
    static let summary = "Make these the neighbourhoods in which the caller teaches, and no others."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.put("addresses/service-areas/me")
    static let action = "instructor.service_areas_replace"

    @Input("The neighbourhoods, all of them.", .count(0...100)) var areas: [ServiceAreaInput]
    typealias Output = ServiceAreaList

    func run(_ tx: Transaction, _ context: Context) throws -> ServiceAreaList {
        let profile = try InstructorProfile.own(tx, context)
        try ServiceArea.replace(areas.map(\.value), of: profile.userID, tx, context)
        return ServiceAreaList(try ServiceArea.of(profile.userID, tx))
    }
}

/// The neighbourhoods that there are.
struct ListNeighborhoods: Query {
    static let name = "neighborhoods_list"
    static let summary = "The neighbourhoods of the city, by borough and name."
    static let audience = Audience.anyone
    static let route = Route.get("addresses/regions/neighborhoods")

    @Input("Only this borough, e.g. Brooklyn.", .length(1...40)) var borough: String?

    struct Item: Codable, Sendable {
        var id: ULID
        var code: String
        var name: String
        var borough: String
        var latitude: Double
        var longitude: Double
    }

    struct Output: Codable, Sendable {
        var items: [Item]
        var total: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let borough = borough?.lowercased()
        let items = try await db.read { try Region.all($0) }.filter {
            borough == nil || $0.parent.lowercased() == borough
        }.map {
            Item(
                id: $0.id, code: $0.code, name: $0.name, borough: $0.parent,
                latitude: Coordinates.degrees($0.center.latitude),
                longitude: Coordinates.degrees($0.center.longitude))
        }
        return Output(items: items, total: items.count)
    }
}

/// Where several instructors teach, in one map.
struct ShowBulkCoverage: Query {
    static let name = "instructor_coverage_bulk"
    static let summary = "Where several instructors teach, as GeoJSON; who cannot be booked is left out."
    static let audience = Audience.anyone
    static let route = Route.get("addresses/coverage/bulk")
    static let maximum = 100

    @Input("User ids of instructors, separated by commas; at most 100.", .length(26...2_700)) var ids: String
    typealias Output = CoverageMap

    func run(_ db: Reader, _ context: Context) async throws -> CoverageMap {
        let texts = ids.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        let wrong = texts.filter { ULID($0) == nil }
        guard wrong.isEmpty, texts.count <= Self.maximum else {
            throw Failure.invalid([.init("ids", "must be at most \(Self.maximum) ULIDs separated by commas")])
        }
        return try await db.read { db in
            let users: [ULID] = try db.values(
                """
                SELECT p.user_id FROM instructor_profiles p JOIN users u ON u.id = p.user_id
                WHERE p.user_id \(in: texts) AND p.is_live AND u.is_active AND u.account_status = 'active'
                """)
            return CoverageMap(try ServiceArea.of(users, db))
        }
    }
}

/// Whether a ZIP code is in New York City.
struct CheckZIP: Query {
    static let name = "zip_is_nyc"
    static let summary = "Whether a ZIP code is in New York City, and in which borough."
    static let audience = Audience.anyone
    static let route = Route.get("addresses/zip/is-nyc")

    @Input("Five digits.", .length(5...5)) var zip: String

    struct Output: Codable, Sendable {
        var zip: String
        var isNYC: Bool
        var borough: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        guard zip.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure.invalid([.init("zip", "must be five digits")])
        }
        let borough = NewYorkZIP.borough(zip)
        return Output(zip: zip, isNYC: borough != nil, borough: borough)
    }
}
