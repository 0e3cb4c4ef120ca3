import Kernel
import Storage

/// Adds one service to those the caller teaches.
///
/// The inputs are those of ``ServiceOffer``, flat.
struct AddInstructorService: Command {
    static let name = "services_instructor_add"
    static let summary = "Offer one more service."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageServices)
    static let action = "service.instructor_add"
    static let route = Route.post("services/instructor/add")
    static let creates = true

    @Input("The service, of services/catalog.") var serviceCatalogID: ULID
    @Input("Dollars per hour, at most 1000.") var hourlyRate: DollarAmount
    @Input("What students should know.", .length(0...500)) var description: String?
    @Input("What students need.", .length(0...500)) var requirements: String?
    @Input("For whom, e.g. beginner.", .length(0...50)) var experienceLevel: String?
    @Input("Minutes, each from 15 to 720.", .count(1...20)) var durationOptions = [60]
    @Input("What is needed.", .count(0...20)) var equipmentRequired: [String]?
    @Input("Levels that are taught.", .count(0...10)) var levelsTaught: [String]?
    @Input("Who is taught.", .count(0...2)) var ageGroups: [AgeGroup]?
    @Input("Whether you come to the student.") var offersTravel = false
    @Input("Whether students come to you.") var offersAtLocation = false
    @Input("Whether you teach online.") var offersOnline = true
    @Input("How far you travel.", .range(1...100)) var maxDistanceMiles: Int?

    typealias Output = InstructorServiceView

    func run(_ tx: Transaction, _ context: Context) throws -> InstructorServiceView {
        let profile = try InstructorProfile.id(of: try context.userID(), tx)
        return InstructorServiceView(try InstructorService.insert(offer, profile: profile, tx, context))
    }

    private var offer: ServiceOffer {
        var offer = ServiceOffer()
        offer.serviceCatalogID = serviceCatalogID
        offer.hourlyRate = hourlyRate
        offer.description = description
        offer.requirements = requirements
        offer.experienceLevel = experienceLevel
        offer.durationOptions = durationOptions
        offer.equipmentRequired = equipmentRequired
        offer.levelsTaught = levelsTaught
        offer.ageGroups = ageGroups
        offer.offersTravel = offersTravel
        offer.offersAtLocation = offersAtLocation
        offer.offersOnline = offersOnline
        offer.maxDistanceMiles = maxDistanceMiles
        return offer
    }
}

/// Changes the ways in which one of the caller's services is taught.
struct ChangeCapabilities: Command {
    static let name = "services_capabilities_change"
    static let summary = "Change in which ways you teach one of your services."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageServices)
    static let action = "service.capabilities"
    static let route = Route.patch("services/:service_id/capabilities")

    @Input("The service of yours.") var serviceID: ULID
    @Input("Whether you come to the student; unchanged when left out.") var offersTravel: Bool?
    @Input("Whether students come to you; unchanged when left out.") var offersAtLocation: Bool?
    @Input("Whether you teach online; unchanged when left out.") var offersOnline: Bool?

    typealias Output = InstructorServiceView

    func run(_ tx: Transaction, _ context: Context) throws -> InstructorServiceView {
        let profile = try InstructorProfile.id(of: try context.userID(), tx)
        try InstructorService.lock(profile, tx)
        let found: InstructorService? = try tx.one(
            """
            SELECT \(InstructorService.columns) FROM instructor_services
            WHERE id = \(serviceID) AND instructor_profile_id = \(profile) AND is_active
            """)
        guard let old = found else {
            throw Failure(.notFound, "There is no service with the id \(serviceID).")
        }
        var new = old
        new.offersTravel = offersTravel ?? old.offersTravel
        new.offersAtLocation = offersAtLocation ?? old.offersAtLocation
        new.offersOnline = offersOnline ?? old.offersOnline
        new.updatedAt = context.now
        guard new.offersTravel || new.offersAtLocation || new.offersOnline else {
            throw Failure.invalid([.init("offers_online", "at least one of the three ways must be offered")])
        }
        try PricingConfig.current(tx).priceFloorCents.require(
            new.hourlyRateCents, inPerson: new.offersTravel || new.offersAtLocation,
            online: new.offersOnline, field: "hourly_rate")
        try new.store(over: old, tx)
        return InstructorServiceView(new)
    }
}

extension InstructorProfile {
    /// The profile of a user.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for whoever has none.
    static func id(of user: ULID, _ db: Snapshot) throws -> ULID {
        let found: ULID? = try db.value("SELECT id FROM instructor_profiles WHERE user_id = \(user)")
        guard let found else {
            throw Failure(
                .notFound, "You have no instructor profile.", hint: "POST /instructors/me makes one.")
        }
        return found
    }
}
