import Kernel

/// The least that a private lesson costs per hour (domain specification §2.6).
package enum PricingDefaults {
    package static let inPersonFloorCents = 8_000
    package static let remoteFloorCents = 6_000

    /// Refuses a rate below the floor of any way in which the lesson is offered.
    package static func requireFloor(_ rateCents: Int, inPerson: Bool, online: Bool, field: String) throws {
        let floors = [(inPerson, inPersonFloorCents, "in-person"), (online, remoteFloorCents, "online")]
        let broken = floors.filter { $0.0 && rateCents < $0.1 }
        guard let (_, floor, kind) = broken.max(by: { $0.1 < $1.1 }) else { return }
        var failure = Failure.invalid([
            .init(field, "must be at least $\(floor / 100) per hour for \(kind) lessons")
        ])
        failure.reason = "PRICE_BELOW_FLOOR"
        throw failure
    }
}
