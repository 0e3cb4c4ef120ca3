import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Neighbourhoods and who teaches in them.
@Suite struct RegionTests {
    static let parkSlope = Coordinates(latitude: 40_671_000, longitude: -73_981_400)

    private static func point(_ latitude: Double, _ longitude: Double) throws -> Coordinates {
        try #require(Coordinates(latitude: latitude, longitude: longitude))
    }

    @Test(arguments: TestDatabase.available)
    func theCityHasItsFiveBoroughs(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let regions = try await platform.database.read { try Region.all($0) }
            #expect(regions.count >= 40)
            #expect(
                Set(regions.map(\.parent)) == ["Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"])
            #expect(regions.allSatisfy { $0.contains($0.center) })
            #expect(Set(regions.map(\.code)).count == regions.count)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPointIsInTheNeighbourhoodWhoseCentreIsNearest(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let regions = try await platform.database.read { try Region.all($0) }
            func name(_ latitude: Double, _ longitude: Double) throws -> String? {
                Region.holding(try Self.point(latitude, longitude), among: regions)?.name
            }
            #expect(try name(40.6710, -73.9814) == "Park Slope")
            #expect(try name(40.7736, -73.9566) == "Upper East Side")
            // Inside two boxes.
            #expect(try name(40.7316, -73.9840) == "Gramercy")
            #expect(try name(40.7314, -73.9815) == "East Village")
            #expect(try name(40.7580, -74.1700) == nil)
            #expect(try name(51.5, 0) == nil)
        }
    }

    @Test func aPlaceOutsideTheGlobeIsNone() {
        #expect(Coordinates(latitude: 90.1, longitude: 0) == nil)
        #expect(Coordinates(latitude: 0, longitude: -180.1) == nil)
        #expect(Coordinates(latitude: .nan, longitude: 0) == nil)
    }

    @Test(
        arguments: [
            ("10001", "Manhattan"), ("10314", "Staten Island"), ("10451", "Bronx"), ("11201", "Brooklyn"),
            ("11101", "Queens"), ("11004", "Queens"), ("11003", nil), ("10601", nil), ("90210", nil),
            ("1000", nil),
            ("1000a", nil),
        ] as [(String, String?)]) func aCodeTellsItsBorough(zip: String, borough: String?)
    {
        #expect(NewYorkZIP.borough(zip) == borough)
    }

    @Test(
        arguments: [
            ("10001", "NY", "New York"), ("12207", "NY", nil), ("06103", "CT", nil), ("94105", "CA", nil),
            ("99501", "AK", nil), ("00501", "NY", nil), ("99999", "AK", nil),
        ] as [(String, String, String?)]) func aCodeTellsItsState(zip: String, state: String, city: String?)
        throws
    {
        let place = try #require(Checkr.WorkLocation(zip: zip))
        #expect(place.state == state && place.city == city)
    }

    @Test(arguments: ["00000", "1000", "abcde", ""]) func aCodeOfNoStateIsNoPlaceToWork(zip: String) {
        #expect(Checkr.WorkLocation(zip: zip) == nil)
    }
}
