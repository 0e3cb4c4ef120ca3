import Kernel

extension PricingConfig.PriceFloor {
    /// Refuses a rate below the floor of any way in which the lesson is offered
    /// (domain specification §2.6).
    package func require(_ rateCents: Int, inPerson: Bool, online: Bool, field: String) throws {
        let floors = [(inPerson, privateInPerson, "in-person"), (online, privateRemote, "online")]
        let broken = floors.filter { $0.0 && rateCents < $0.1 }
        guard let (_, floor, kind) = broken.max(by: { $0.1 < $1.1 }) else { return }
        var failure = Failure.invalid([
            .init(field, "must be at least $\(floor / 100) per hour for \(kind) lessons")
        ])
        failure.reason = "PRICE_BELOW_FLOOR"
        throw failure
    }
}
