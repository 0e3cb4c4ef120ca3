package import Kernel
import Storage

/// Areas as GeoJSON (RFC 7946): a polygon for each neighbourhood, with who covers it.
package struct CoverageMap: Codable, Sendable {
    package struct Feature: Codable, Sendable {
        package var type = "Feature"
        package var geometry: Geometry
        package var properties: Properties
    }

    package struct Geometry: Codable, Sendable {
        package var type = "Polygon"
        /// Longitude before latitude; the first point closes the ring.
        package var coordinates: [[[Double]]]
    }

    package struct Properties: Codable, Sendable {
        package var regionID: ULID
        package var name: String
        package var borough: String
        /// User ids.
        package var instructors: [ULID]
    }

    package var type = "FeatureCollection"
    package var features: [Feature]

    /// - Parameter areas: in the order of their regions.
    package init(_ areas: [ServiceArea]) {
        features = []
        for area in areas {
            if let last = features.indices.last, features[last].properties.regionID == area.region.id {
                features[last].properties.instructors.append(area.instructorID)
                continue
            }
            features.append(
                Feature(
                    geometry: Geometry(coordinates: [Self.ring(area.region)]),
                    properties: Properties(
                        regionID: area.region.id, name: area.region.name, borough: area.region.parent,
                        instructors: [area.instructorID])))
        }
    }

    private static func ring(_ region: Region) -> [[Double]] {
        let (south, north) = (Coordinates.degrees(region.south), Coordinates.degrees(region.north))
        let (west, east) = (Coordinates.degrees(region.west), Coordinates.degrees(region.east))
        // Counter-clockwise from the south-west (RFC 7946 §3.1.6).
        return [[west, south], [east, south], [east, north], [west, north], [west, south]]
    }
}
