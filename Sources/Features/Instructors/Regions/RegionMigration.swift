import Storage

/// Neighbourhoods, the areas instructors teach in, and people's addresses.
/// Coordinates are in millionths of a degree.
let regionMigration = Migration("0121_regions") { _ in
    [
        """
        CREATE TABLE region_boundaries (
            id \(.id) PRIMARY KEY, region_type TEXT NOT NULL, region_code TEXT NOT NULL,
            region_name TEXT NOT NULL, parent_region TEXT NOT NULL, south BIGINT NOT NULL, north BIGINT NOT NULL,
            west BIGINT NOT NULL, east BIGINT NOT NULL, centroid_lat BIGINT NOT NULL, centroid_lng BIGINT NOT NULL,
            region_metadata TEXT, UNIQUE (region_type, region_code),
            CHECK (south < north AND west < east AND centroid_lat > south AND centroid_lat < north
                AND centroid_lng > west AND centroid_lng < east))
        """,
        """
        CREATE TABLE instructor_service_areas (
            instructor_id \(.id) NOT NULL, neighborhood_id \(.id) NOT NULL REFERENCES region_boundaries (id),
            is_active \(.bool) NOT NULL,
            coverage_type TEXT NOT NULL CHECK (coverage_type IN ('primary', 'secondary', 'by_request')),
            max_distance_miles BIGINT CHECK (max_distance_miles > 0), created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL, PRIMARY KEY (instructor_id, neighborhood_id))
        """,
        """
        CREATE INDEX instructor_service_areas_neighborhood
        ON instructor_service_areas (neighborhood_id, instructor_id) WHERE is_active
        """,
        """
        CREATE TABLE user_addresses (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL,
            label TEXT NOT NULL CHECK (label IN ('home', 'work', 'other')), custom_label TEXT, recipient_name TEXT,
            street_line1 TEXT NOT NULL, street_line2 TEXT, locality TEXT NOT NULL,
            administrative_area TEXT NOT NULL, postal_code TEXT NOT NULL, country_code TEXT NOT NULL,
            latitude BIGINT CHECK (latitude >= -90000000 AND latitude <= 90000000),
            longitude BIGINT CHECK (longitude >= -180000000 AND longitude <= 180000000), place_id TEXT,
            verification_status TEXT NOT NULL CHECK (verification_status IN ('unverified', 'verified')),
            is_default \(.bool) NOT NULL, is_active \(.bool) NOT NULL,
            neighborhood_id \(.id) REFERENCES region_boundaries (id), created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL, CHECK ((latitude IS NULL) = (longitude IS NULL)),
            CHECK (is_active OR NOT is_default))
        """,
        "CREATE INDEX user_addresses_user ON user_addresses (user_id, id) WHERE is_active",
        "CREATE UNIQUE INDEX user_addresses_default ON user_addresses (user_id) WHERE is_default",
        """
        INSERT INTO region_boundaries (id, region_type, region_code, region_name, parent_region, south, north, \
        west, east, centroid_lat, centroid_lng) VALUES \(raw: seed)
        """,
    ]
}

private let seed = RegionSeed.all.enumerated().map { index, region in
    let digits = String(index + 1)
    let id = "01J0NYCREG" + String(repeating: "0", count: 16 - digits.count) + digits
    let box = [
        region.latitude - region.halfHeight, region.latitude + region.halfHeight,
        region.longitude - region.halfWidth, region.longitude + region.halfWidth, region.latitude,
        region.longitude,
    ]
    return "('\(id)', 'nyc', '\(region.code)', '\(region.name)', '\(region.borough)', "
        + box.map(String.init).joined(separator: ", ") + ")"
}.joined(separator: ",\n")
