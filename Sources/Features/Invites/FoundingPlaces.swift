package import Kernel
package import Storage

/// The founding places as invites need them: promised ones count like taken ones.
package enum FoundingPlaces {
    /// Free places, promised ones not counted.
    package static func remaining(_ db: Snapshot) throws -> Int {
        max(0, try PricingConfig.current(db).foundingInstructorCap - Founding.used(db))
    }

    /// Makes sure that `count` more places can be promised. Whoever promises waits
    /// for whoever does so at the same time, to the end of the transaction.
    ///
    /// - Throws: ``Kernel/Failure/Code/conflict``, `founding_cap_exceeded`.
    package static func reserve(_ count: Int, _ tx: Transaction, _ context: Context) throws {
        guard count > 0 else { return }
        try tx.lock("founding")
        let (remaining, promised) = (
            try remaining(tx), try Invite.outstandingFounding(tx, now: context.now)
        )
        guard promised + count <= remaining else {
            throw Failure(
                .conflict,
                "\(count) founding places are wanted; \(remaining) are free, \(promised) of them promised.",
                hint: "Invite without founding status, or take invites back.", reason: "founding_cap_exceeded"
            )
        }
    }
}
