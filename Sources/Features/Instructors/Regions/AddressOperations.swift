import Kernel
import Storage

/// The caller's addresses.
struct ListMyAddresses: Query {
    static let name = "my_addresses_list"
    static let summary = "The caller's addresses, the default first."
    static let audience = Audience.users
    static let route = Route.get("addresses/me")

    struct Output: Codable, Sendable {
        var items: [UserAddress]
        var total: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let items = try await db.read { try UserAddress.all(of: user, $0) }
        return Output(items: items, total: items.count)
    }
}

/// Keeps an address of the caller.
struct AddMyAddress: Command {
    static let name = "my_address_add"
    static let summary = "Keep an address; the first one becomes the default."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageOwnProfile)
    static let route = Route.post("addresses/me")
    static let creates = true
    static let action = "user.address_add"

    @Input("What the address is to the caller.") var label = AddressLabel.home
    @Input("A name of the caller's own for it.", .length(1...50)) var customLabel: String?
    @Input("Who is there.", .length(1...100)) var recipientName: String?
    @Input("Street and number.", .length(1...255)) var streetLine1: String
    @Input("Flat, floor and such.", .length(1...255)) var streetLine2: String?
    @Input("City.", .length(1...100)) var locality: String
    @Input("State, e.g. NY.", .length(1...50)) var administrativeArea: String
    @Input("ZIP or post code.", .length(3...12)) var postalCode: String
    @Input("Country, two letters (ISO 3166-1).", .length(2...2)) var countryCode = "US"
    @Input("Latitude in degrees; together with longitude.", .range(-90...90)) var latitude: Double?
    @Input("Longitude in degrees; together with latitude.", .range(-180...180)) var longitude: Double?
    @Input("Id of the place at the provider of maps.", .length(1...255)) var placeID: String?
    @Input("Make it the default.") var isDefault = false
    typealias Output = UserAddress

    func run(_ tx: Transaction, _ context: Context) throws -> UserAddress {
        let user = try context.userID()
        try UserAddress.requirePair(latitude, longitude)
        // One after another for each person, so that there is one first and no more than the limit.
        guard try User.lock(user, tx) != nil else { throw UserAddress.nobody }
        let known = try UserAddress.all(of: user, tx)
        guard known.count < UserAddress.limit else {
            throw Failure(
                .conflict, "There are \(known.count) addresses already; that is the limit.",
                hint: "Delete one first.", reason: "address_limit")
        }
        let address = UserAddress(
            id: context.newID(), label: label, customLabel: customLabel, recipientName: recipientName,
            streetLine1: streetLine1, streetLine2: streetLine2, locality: locality,
            administrativeArea: administrativeArea, postalCode: postalCode,
            countryCode: countryCode.uppercased(), latitude: latitude, longitude: longitude, placeID: placeID,
            isDefault: isDefault || known.isEmpty, neighborhoodID: nil, createdAt: context.now,
            updatedAt: context.now)
        try address.store(of: user, tx, context)
        try tx.audit("user.address_change", Subject("address", address.id.description))
        return try UserAddress.lock(address.id, of: user, tx)
    }
}

/// Changes one of the caller's addresses.
struct UpdateMyAddress: Command {
    static let name = "my_address_update"
    static let summary = "Change one of the caller's addresses; what is left out stays as it is."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageOwnProfile)
    static let route = Route.patch("addresses/me/:id")
    static let action = "user.address_update"

    @Input("The address's id.") var id: ULID
    @Input("What the address is to the caller.") var label: AddressLabel?
    @Input("A name of the caller's own for it.", .length(1...50)) var customLabel: String?
    @Input("Who is there.", .length(1...100)) var recipientName: String?
    @Input("Street and number.", .length(1...255)) var streetLine1: String?
    @Input("Flat, floor and such.", .length(1...255)) var streetLine2: String?
    @Input("City.", .length(1...100)) var locality: String?
    @Input("State, e.g. NY.", .length(1...50)) var administrativeArea: String?
    @Input("ZIP or post code.", .length(3...12)) var postalCode: String?
    @Input("Country, two letters (ISO 3166-1).", .length(2...2)) var countryCode: String?
    @Input("Latitude in degrees; together with longitude.", .range(-90...90)) var latitude: Double?
    @Input("Longitude in degrees; together with latitude.", .range(-180...180)) var longitude: Double?
    @Input("Id of the place at the provider of maps.", .length(1...255)) var placeID: String?
    @Input("true makes it the default; another one has to take its place.") var isDefault: Bool?
    typealias Output = UserAddress
    var subject: Subject? { Subject("address", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> UserAddress {
        let user = try context.userID()
        try UserAddress.requirePair(latitude, longitude)
        guard try User.lock(user, tx) != nil else { throw UserAddress.nobody }
        var address = try UserAddress.lock(id, of: user, tx)
        if address.isDefault, isDefault == false {
            throw Failure.invalid([
                .init("is_default", "cannot be taken away; make another address the default")
            ])
        }
        address.label = label ?? address.label
        address.customLabel = customLabel ?? address.customLabel
        address.recipientName = recipientName ?? address.recipientName
        address.streetLine1 = streetLine1 ?? address.streetLine1
        address.streetLine2 = streetLine2 ?? address.streetLine2
        address.locality = locality ?? address.locality
        address.administrativeArea = administrativeArea ?? address.administrativeArea
        address.postalCode = postalCode ?? address.postalCode
        address.countryCode = countryCode?.uppercased() ?? address.countryCode
        address.latitude = latitude ?? address.latitude
        address.longitude = longitude ?? address.longitude
        address.placeID = placeID ?? address.placeID
        address.isDefault = isDefault ?? address.isDefault
        try address.store(of: user, tx, context)
        try tx.audit("user.address_change", Subject("address", id.description))
        return try UserAddress.lock(id, of: user, tx)
    }
}

/// Takes one of the caller's addresses out of use.
struct DeleteMyAddress: Command {
    static let name = "my_address_delete"
    static let summary = "Delete one of the caller's addresses; another one becomes the default."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageOwnProfile)
    static let route = Route.delete("addresses/me/:id")
    static let action = "user.address_delete"

    @Input("The address's id.") var id: ULID
    var subject: Subject? { Subject("address", id.description) }

    struct Output: Codable, Sendable {
        var id: ULID
        var isDeleted: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        guard try User.lock(user, tx) != nil else { throw UserAddress.nobody }
        try UserAddress.lock(id, of: user, tx).remove(of: user, tx, context)
        try tx.audit("user.address_change", Subject("address", id.description))
        return Output(id: id, isDeleted: true)
    }
}

extension UserAddress {
    static let nobody = Failure(.notFound, "The account is gone.", reason: "user_not_found")

    static func requirePair(_ latitude: Double?, _ longitude: Double?) throws {
        guard (latitude == nil) == (longitude == nil) else {
            throw Failure.invalid([.init("latitude", "and longitude must be given together")])
        }
    }
}
