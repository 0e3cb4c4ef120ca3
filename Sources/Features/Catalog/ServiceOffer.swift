import JSON
package import Kernel

/// Who is taught.
package enum AgeGroup: String, InputEnum, Codable, Sendable, CaseIterable { case kids, adults }

/// What an instructor asks to offer: one service with its price and its ways.
package struct ServiceOffer: InputRecord {
    package static let durations = 15...720

    @Input("The service, of services/catalog.") package var serviceCatalogID: ULID
    @Input("Dollars per hour, at most 1000.") package var hourlyRate: DollarAmount
    @Input("What students should know.", .length(0...500)) package var description: String?
    @Input("What students need.", .length(0...500)) package var requirements: String?
    @Input("For whom, e.g. beginner.", .length(0...50)) package var experienceLevel: String?
    @Input("Minutes, each from 15 to 720.", .count(1...20)) package var durationOptions = [60]
    @Input("What is needed.", .count(0...20)) package var equipmentRequired: [String]?
    @Input("Levels that are taught.", .count(0...10)) package var levelsTaught: [String]?
    @Input("Who is taught.", .count(0...2)) package var ageGroups: [AgeGroup]?
    @Input("Whether you come to the student.") package var offersTravel = false
    @Input("Whether students come to you.") package var offersAtLocation = false
    @Input("Whether you teach online.") package var offersOnline = true
    @Input("How far you travel.", .range(1...100)) package var maxDistanceMiles: Int?

    package init() {}

    /// Everything that is wrong with it, before the database is asked.
    package func check(_ field: String = "", _ floors: PricingConfig.PriceFloor) throws {
        let prefix = field.isEmpty ? "" : "\(field)."
        var problems: [Failure.Field] = []
        if !(1...100_000).contains(hourlyRate.cents) {
            problems.append(.init("\(prefix)hourly_rate", "must be more than 0 and at most 1000"))
        }
        if !durationOptions.allSatisfy(Self.durations.contains) {
            problems.append(.init("\(prefix)duration_options", "must each be from 15 to 720 minutes"))
        }
        if Set(durationOptions).count < durationOptions.count {
            problems.append(.init("\(prefix)duration_options", "must differ"))
        }
        if !(offersTravel || offersAtLocation || offersOnline) {
            problems.append(.init("\(prefix)offers_online", "at least one of the three ways must be offered"))
        }
        let texts = (equipmentRequired ?? []) + (levelsTaught ?? [])
        if texts.contains(where: { $0.isEmpty || $0.unicodeScalars.count > 100 }) {
            problems.append(
                .init("\(prefix)equipment_required", "and levels_taught hold texts of 1 to 100 characters"))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        try floors.require(
            hourlyRate.cents, inPerson: offersTravel || offersAtLocation, online: offersOnline,
            field: "\(prefix)hourly_rate")
    }
}
