import JSON
package import Kernel
package import Storage

// The writers of `instructor_services`. Each locks the profile first, so that two changes of
// the same instructor's services come one after the other.
extension InstructorService {
    /// Makes `offers` the services of a profile: adds, updates, and takes out what is not among them.
    ///
    /// What is taken out stays as an inactive row, because lessons may be of it. A service that is
    /// offered again becomes active as a new row.
    /// - Throws: ``Kernel/Failure/Code/invalidInput`` for an offer that breaks a rule, names a service
    ///   that is not in the catalogue, or names one twice; `PRICE_BELOW_FLOOR` for a rate below it.
    @discardableResult
    package static func set(
        services offers: [ServiceOffer], profile: ULID, _ tx: Transaction, _ context: Context
    ) throws -> [InstructorService] {
        let floors = try PricingConfig.current(tx).priceFloorCents
        for (index, offer) in offers.enumerated() { try offer.check("services[\(index)]", floors) }
        try requireCatalogued(offers, tx)
        try lock(profile, tx)
        let current = Dictionary(
            try active(of: profile, tx).map { ($0.serviceCatalogID, $0) }, uniquingKeysWith: { a, _ in a })
        var kept: [InstructorService] = []
        for offer in offers {
            kept.append(
                try current[offer.serviceCatalogID]?.update(offer, tx, context)
                    ?? add(offer, profile, tx, context))
        }
        let names = Set(offers.map(\.serviceCatalogID))
        for (id, service) in current.sorted(by: { $0.value.id < $1.value.id }) where !names.contains(id) {
            try service.deactivate(tx, context)
        }
        try InstructorProfile.lock(profile, tx)?.noteServices(tx, context)
        return kept
    }

    /// Adds one service.
    /// - Throws: as ``set(services:profile:_:_:)``, and ``Kernel/Failure/Code/conflict`` when the profile
    ///   has it.
    package static func insert(_ offer: ServiceOffer, profile: ULID, _ tx: Transaction, _ context: Context)
        throws -> InstructorService
    {
        try offer.check("", PricingConfig.current(tx).priceFloorCents)
        try requireCatalogued([offer], tx)
        try lock(profile, tx)
        let isThere: Int? = try tx.value(
            """
            SELECT 1 FROM instructor_services WHERE instructor_profile_id = \(profile)
            AND service_catalog_id = \(offer.serviceCatalogID) AND is_active
            """)
        guard isThere == nil else {
            throw Failure(.conflict, "You offer that service already.", reason: "service_exists")
        }
        let service = try add(offer, profile, tx, context)
        try InstructorProfile.lock(profile, tx)?.noteServices(tx, context)
        return service
    }

    private static func add(
        _ offer: ServiceOffer, _ profile: ULID, _ tx: Transaction, _ context: Context
    ) throws -> InstructorService {
        let service = InstructorService(context.newID(), of: profile, offer, at: context.now)
        try tx.run(
            """
            INSERT INTO instructor_services (\(columns), teaches_kids, teaches_adults) VALUES (\(service.id), \
            \(profile), \(service.serviceCatalogID), \(service.values), \(true), \(context.now), \
            \(context.now), \(service.teaches(.kids)), \(service.teaches(.adults)))
            """)
        try tx.audit("service.add", service.subject, changes: changes(from: [:], to: service.recorded))
        return service
    }

    /// The columns from `hourly_rate_cents` to `max_distance_miles`.
    private var values: SQL {
        """
        \(hourlyRateCents), \(description), \(requirements), \(experienceLevel), \
        \(JSONList(durationOptions)), \(equipmentRequired.map { JSONList($0) }), \
        \(levelsTaught.map { JSONList($0) }), \(ageGroups.map { JSONList($0) }), \(offersTravel), \
        \(offersAtLocation), \(offersOnline), \(maxDistanceMiles)
        """
    }

    /// Nobody named means everybody.
    private func teaches(_ group: AgeGroup) -> Bool { ageGroups?.contains(group) ?? true }

    private func update(_ offer: ServiceOffer, _ tx: Transaction, _ context: Context) throws
        -> InstructorService
    {
        var new = InstructorService(id, of: profileID, offer, at: context.now)
        new.createdAt = createdAt
        try new.store(over: self, tx)
        return new
    }

    /// Writes every column but the ids, and says what changed.
    func store(over old: InstructorService, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE instructor_services SET (hourly_rate_cents, description, requirements, experience_level, \
            duration_options, equipment_required, levels_taught, age_groups, offers_travel, \
            offers_at_location, offers_online, max_distance_miles) = (SELECT \(values)), \
            teaches_kids = \(teaches(.kids)), teaches_adults = \(teaches(.adults)), \
            is_active = \(isActive), updated_at = \(updatedAt) WHERE id = \(id)
            """)
        let difference = changes(from: old.recorded, to: recorded)
        guard difference != [:] else { return }
        try tx.audit("service.update", subject, changes: difference)
    }

    private func deactivate(_ tx: Transaction, _ context: Context) throws {
        try tx.run(
            "UPDATE instructor_services SET is_active = \(false), updated_at = \(context.now) WHERE id = \(id)"
        )
        try tx.audit(
            "service.remove", subject, changes: changes(from: ["is_active": true], to: ["is_active": false]))
    }

    /// Takes part in the order of changes of a profile.
    static func lock(_ profile: ULID, _ tx: Transaction) throws {
        let found: ULID? = try tx.value(
            "SELECT id FROM instructor_profiles WHERE id = \(profile) \(.forUpdate)")
        guard found != nil else {
            throw Failure(.notFound, "There is no instructor profile with the id \(profile).")
        }
    }

    private static func requireCatalogued(_ offers: [ServiceOffer], _ tx: Transaction) throws {
        let ids = offers.map(\.serviceCatalogID)
        let known: [ULID] = try tx.values(
            "SELECT id FROM service_catalog WHERE is_active AND id \(in: ids)")
        var seen: Set<ULID> = []
        var problems: [Failure.Field] = []
        for (index, id) in ids.enumerated() {
            let name = ids.count == 1 ? "service_catalog_id" : "services[\(index)].service_catalog_id"
            if !known.contains(id) { problems.append(.init(name, "no service has the id \(id)")) }
            if !seen.insert(id).inserted { problems.append(.init(name, "is named twice")) }
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
    }
}
