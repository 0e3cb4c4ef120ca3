import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Addresses, and the areas in which instructors teach.
@Suite struct AddressTests {
    private static let slope: JSONObject = [
        "street_line1": "1 Prospect Park West", "locality": "Brooklyn", "administrative_area": "NY",
        "postal_code": "11215", "latitude": 40.671, "longitude": -73.9814,
    ]

    @Test(arguments: TestDatabase.available)
    func thereIsOneDefaultWhateverHappens(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, student) = (world.platform, world.student)
            func add(_ more: JSONObject = [:]) async throws -> JSONValue {
                try await platform.call("my_address_add", Self.slope.merging(more), as: student)
            }
            func state() async throws -> [String?] {
                let list =
                    try await platform.call("my_addresses_list", as: student)["items"]?.arrayValue ?? []
                #expect(list.count { $0["is_default"] == true } == (list.isEmpty ? 0 : 1))
                return list.map { $0["label"]?.stringValue }
            }
            let home = try await add()
            #expect(home["is_default"] == true && home["country_code"] == "US")
            #expect(home["neighborhood_id"]?.stringValue?.hasPrefix("01J0NYCREG") == true)
            let work = try await add(["label": "work", "is_default": true])
            _ = try await add(["label": "other"])
            #expect(try await state() == ["work", "other", "home"])
            let back = try await platform.call(
                "my_address_update", ["id": home["id"] ?? .null, "is_default": true, "locality": "New York"],
                as: student)
            #expect(back["locality"] == "New York" && back["street_line1"] == "1 Prospect Park West")
            #expect(try await state() == ["home", "other", "work"])
            let refused = try await platform.failure(
                "my_address_update", ["id": home["id"] ?? .null, "is_default": false], as: student)
            #expect(refused?.code == .invalidInput)
            _ = try await platform.call("my_address_delete", ["id": home["id"] ?? .null], as: student)
            #expect(try await state() == ["other", "work"])
            // Somebody else's is as good as missing.
            let stranger = try await platform.person(.student)
            for (name, more) in [("my_address_update", ["label": "home"]), ("my_address_delete", [:])]
                as [(String, JSONObject)]
            {
                let failure = try await platform.failure(
                    name, more.merging(["id": work["id"] ?? .null]), as: stranger)
                #expect(failure?.code == .notFound && failure?.reason == "address_not_found")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func addressesAddedAtATimeHaveOneDefaultAndStayWithinTheLimit(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            let failures = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<UserAddress.limit + 5 {
                    group.addTask {
                        let failure = try await platform.failure(
                            "my_address_add", Self.slope, as: world.student)
                        return failure?.reason == "address_limit"
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(failures == 5)
            let kept = try await platform.count("user_addresses")
            #expect(kept == UserAddress.limit)
            #expect(try await platform.count("user_addresses", where: "is_default") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func latitudeAndLongitudeComeTogether(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            var address = Self.slope
            address["longitude"] = nil
            let failure = try await world.platform.failure("my_address_add", address, as: world.student)
            #expect(failure?.fields.map(\.name) == ["latitude"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorTeachesInTheNamedAreasAndNoOthers(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            let all = try await platform.call("neighborhoods_list", ["borough": "brooklyn"], as: .guest)
            func id(_ name: String) -> JSONValue {
                all["items"]?.arrayValue?.first { $0["name"]?.stringValue == name }?["id"] ?? .null
            }
            func replace(_ areas: [JSONValue]) async throws -> JSONValue {
                try await platform.call("my_service_areas_replace", ["areas": .array(areas)], as: ada.actor)
            }
            func covers(_ latitude: Double, _ longitude: Double) async throws -> JSONValue {
                try await platform.call(
                    "instructor_service_area_check",
                    ada.id.merging(["lat": .double(latitude), "lng": .double(longitude)]), as: .guest)
            }
            let view = try await replace([
                ["neighborhood_id": id("Park Slope")],
                ["neighborhood_id": id("DUMBO"), "coverage_type": "by_request", "max_distance_miles": 3],
            ])
            #expect(view["items"]?.arrayValue?.map { $0["name"] } == ["DUMBO", "Park Slope"])
            let inside = try await covers(40.671, -73.9814)
            #expect(inside["is_covered"] == true && inside["coverage_type"] == "primary")
            #expect(inside["neighborhood"] == "Park Slope")
            let outside = try await covers(40.7736, -73.9566)
            #expect(outside["is_covered"] == false && outside["neighborhood"] == "Upper East Side")
            _ = try await replace([["neighborhood_id": id("DUMBO")]])
            #expect(try await covers(40.671, -73.9814)["is_covered"] == false)
            #expect(try await covers(40.7033, -73.9881)["coverage_type"] == "primary")
            let failure = try await platform.failure(
                "my_service_areas_replace",
                ["areas": [["neighborhood_id": .string(TestPlatform.user)]]], as: ada.actor)
            #expect(failure?.fields.map(\.name) == ["areas"])
            let map = try await platform.call("instructor_coverage_show", ada.id, as: .guest)
            #expect(map["type"] == "FeatureCollection")
            #expect(map["features"]?[0]?["geometry"]?["coordinates"]?[0]?.arrayValue?.count == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneMapShowsSeveralInstructorsInAFixedNumberOfStatements(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            let regions: [ULID] = try await platform.database.read {
                try $0.values("SELECT id FROM region_boundaries ORDER BY id LIMIT 3")
            }
            var ids: [String] = []
            func add(isLive: Bool) async throws {
                let person = isLive ? try await world.liveInstructor() : try await world.readyInstructor()
                try await world.act { tx, context in
                    try ServiceArea.replace(regions.map { ($0, .primary, nil) }, of: person.user, tx, context)
                }
                ids.append(person.user.description)
            }
            func map() async throws -> (JSONValue, Int) {
                _ = platform.database.takeStatementCount()
                let map = try await platform.call(
                    "instructor_coverage_bulk", ["ids": .string(ids.joined(separator: ","))], as: .guest)
                return (map, platform.database.takeStatementCount())
            }
            try await add(isLive: true)
            let (_, before) = try await map()
            for _ in 0..<3 { try await add(isLive: true) }
            try await add(isLive: false)
            let (shown, after) = try await map()
            #expect(before == after)
            #expect(shown["features"]?.arrayValue?.count == 3)
            // Who is not live is left out.
            #expect(shown["features"]?[0]?["properties"]?["instructors"]?.arrayValue?.count == 4)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCodeIsOfTheCityOrNot(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let here = try await world.platform.call("zip_is_nyc", ["zip": "11215"], as: .guest)
            #expect(here["is_nyc"] == true && here["borough"] == "Brooklyn")
            let there = try await world.platform.call("zip_is_nyc", ["zip": "90210"], as: .guest)
            #expect(there["is_nyc"] == false && there["borough"] == .null)
            #expect(try await world.platform.failure("zip_is_nyc", ["zip": "1121x"], as: .guest) != nil)
        }
    }
}
