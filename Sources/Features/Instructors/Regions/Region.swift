package import Kernel
package import Storage

/// A place on the map, in millionths of a degree.
package struct Coordinates: Sendable, Hashable {
    package var latitude: Int
    package var longitude: Int

    package init(latitude: Int, longitude: Int) {
        self.latitude = latitude
        self.longitude = longitude
    }

    /// From degrees; nil when they are not on the globe.
    package init?(latitude: Double, longitude: Double) {
        guard (-90...90).contains(latitude), (-180...180).contains(longitude) else { return nil }
        self.init(
            latitude: Int((latitude * 1_000_000).rounded()), longitude: Int((longitude * 1_000_000).rounded())
        )
    }

    package static func degrees(_ millionths: Int) -> Double { Double(millionths) / 1_000_000 }
}

/// One row of `region_boundaries`: a neighbourhood as the box around it.
package struct Region: Sendable, RowDecodable {
    package var id: ULID
    package var code: String
    package var name: String
    package var parent: String
    package var south, north, west, east: Int
    package var center: Coordinates

    package static let columns: SQL = """
        r.id, r.region_code, r.region_name, r.parent_region, r.south, r.north, r.west, r.east, r.centroid_lat, \
        r.centroid_lng
        """
    static let columnCount = 10

    package init(row: Row) throws {
        id = try row.get(at: 0)
        code = try row.get(at: 1)
        name = try row.get(at: 2)
        parent = try row.get(at: 3)
        south = try row.get(at: 4)
        north = try row.get(at: 5)
        west = try row.get(at: 6)
        east = try row.get(at: 7)
        center = Coordinates(latitude: try row.get(at: 8), longitude: try row.get(at: 9))
    }

    /// Whether the box holds the point; its edges belong to it.
    package func contains(_ point: Coordinates) -> Bool {
        (south...north).contains(point.latitude) && (west...east).contains(point.longitude)
    }

    /// Boxes overlap, as streets run at an angle: of those around the point, the one
    /// with the nearest centre. Degrees of longitude are shorter than those of latitude.
    package static func holding(_ point: Coordinates, among regions: [Region]) -> Region? {
        func distance(_ region: Region) -> Int {
            let (height, width) = (
                region.center.latitude - point.latitude, (region.center.longitude - point.longitude) * 3 / 4
            )
            return height * height + width * width
        }
        return regions.filter { $0.contains(point) }.min { (distance($0), $0.id) < (distance($1), $1.id) }
    }

    /// Every neighbourhood of a kind, by borough and name.
    package static func all(of type: String = "nyc", _ db: Snapshot) throws -> [Region] {
        try db.all(
            """
            SELECT \(columns) FROM region_boundaries r WHERE r.region_type = \(type)
            ORDER BY r.parent_region, r.region_name
            """)
    }
}

/// Where post goes in New York City.
package enum NewYorkZIP {
    /// The borough of a ZIP code, by its first three digits; nil outside the city.
    ///
    /// Source: USPS Publication 65: 100 to 102 Manhattan, 103 Staten Island, 104
    /// Bronx, 112 Brooklyn, 111, 113, 114 and 116 Queens; of 110 only 11004 and 11005.
    package static func borough(_ zip: String) -> String? {
        guard zip.utf8.count == 5, zip.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        switch zip.prefix(3) {
        case "100", "101", "102": return "Manhattan"
        case "103": return "Staten Island"
        case "104": return "Bronx"
        case "112": return "Brooklyn"
        case "111", "113", "114", "116": return "Queens"
        case "110": return zip == "11004" || zip == "11005" ? "Queens" : nil
        default: return nil
        }
    }
}
