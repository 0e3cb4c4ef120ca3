import JSON
package import Kernel
package import Storage

/// The values of `user_addresses.label`.
package enum AddressLabel: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case home, work, other
}

/// One row of `user_addresses` that is in use.
package struct UserAddress: Sendable, Codable {
    package var id: ULID
    package var label: AddressLabel
    package var customLabel: String?
    package var recipientName: String?
    package var streetLine1: String
    package var streetLine2: String?
    package var locality: String
    package var administrativeArea: String
    package var postalCode: String
    package var countryCode: String
    package var latitude: Double?
    package var longitude: Double?
    package var placeID: String?
    package var isDefault: Bool
    package var neighborhoodID: ULID?
    package var createdAt: Instant
    package var updatedAt: Instant

    private static let columns: SQL = """
        id, label, custom_label, recipient_name, street_line1, street_line2, locality, administrative_area, \
        postal_code, country_code, latitude, longitude, place_id, is_default, neighborhood_id, created_at, \
        updated_at
        """
    /// How many one person may keep.
    package static let limit = 20
}

extension UserAddress: RowDecodable {
    package init(row: Row) throws {
        id = try row.get(at: 0)
        label = try row.get(at: 1)
        customLabel = try row.get(at: 2)
        recipientName = try row.get(at: 3)
        streetLine1 = try row.get(at: 4)
        streetLine2 = try row.get(at: 5)
        locality = try row.get(at: 6)
        administrativeArea = try row.get(at: 7)
        postalCode = try row.get(at: 8)
        countryCode = try row.get(at: 9)
        latitude = try row.get(at: 10, as: Int?.self).map(Coordinates.degrees)
        longitude = try row.get(at: 11, as: Int?.self).map(Coordinates.degrees)
        placeID = try row.get(at: 12)
        isDefault = try row.get(at: 13)
        neighborhoodID = try row.get(at: 14)
        createdAt = try row.get(at: 15)
        updatedAt = try row.get(at: 16)
    }

    /// The default first, then the newest.
    package static func all(of user: ULID, _ db: Snapshot) throws -> [UserAddress] {
        try db.all(
            """
            SELECT \(columns) FROM user_addresses WHERE user_id = \(user) AND is_active
            ORDER BY is_default DESC, id DESC LIMIT \(limit)
            """)
    }

    /// One of the user's own; another's is as good as missing.
    package static func lock(_ id: ULID, of user: ULID, _ tx: Transaction) throws -> UserAddress {
        let found: UserAddress? = try tx.one(
            """
            SELECT \(columns) FROM user_addresses WHERE id = \(id) AND user_id = \(user) AND is_active \
            \(.forUpdate)
            """)
        guard let found else {
            throw Failure(.notFound, "There is no address with the id \(id).", reason: "address_not_found")
        }
        return found
    }

    /// Writes the row whole. The first address is the default, and of several the
    /// one that was made so last.
    package func store(of user: ULID, _ tx: Transaction, _ context: Context) throws {
        let point = latitude.flatMap { latitude in
            longitude.flatMap { Coordinates(latitude: latitude, longitude: $0) }
        }
        if isDefault {
            try tx.run(
                """
                UPDATE user_addresses SET is_default = \(false), updated_at = \(context.now)
                WHERE user_id = \(user) AND is_default AND id <> \(id)
                """)
        }
        let region = try point.flatMap { Region.holding($0, among: try Region.all(tx)) }
        try tx.run(
            """
            INSERT INTO user_addresses (id, user_id, label, custom_label, recipient_name, street_line1, \
            street_line2, locality, administrative_area, postal_code, country_code, latitude, longitude, place_id, \
            verification_status, is_default, is_active, neighborhood_id, created_at, updated_at)
            VALUES (\(id), \(user), \(label), \(customLabel), \(recipientName), \(streetLine1), \(streetLine2), \
            \(locality), \(administrativeArea), \(postalCode), \(countryCode), \(point?.latitude), \
            \(point?.longitude), \(placeID), 'unverified', \(isDefault), \(true), \(region?.id), \(createdAt), \
            \(context.now))
            ON CONFLICT (id) DO UPDATE SET label = excluded.label, custom_label = excluded.custom_label, \
            recipient_name = excluded.recipient_name, street_line1 = excluded.street_line1, \
            street_line2 = excluded.street_line2, locality = excluded.locality, \
            administrative_area = excluded.administrative_area, postal_code = excluded.postal_code, \
            country_code = excluded.country_code, latitude = excluded.latitude, longitude = excluded.longitude, \
            place_id = excluded.place_id, is_default = excluded.is_default, \
            neighborhood_id = excluded.neighborhood_id, updated_at = excluded.updated_at
            """)
    }

    /// Takes the address out of use; the newest of the others becomes the default in its place.
    package func remove(of user: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE user_addresses SET is_active = \(false), is_default = \(false), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        guard isDefault else { return }
        try tx.run(
            """
            UPDATE user_addresses SET is_default = \(true), updated_at = \(context.now) WHERE id = (
                SELECT id FROM user_addresses WHERE user_id = \(user) AND is_active ORDER BY id DESC LIMIT 1)
            """)
    }
}
