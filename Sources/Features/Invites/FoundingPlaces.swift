package import Kernel
package import Storage

/// The founding places as invites and referrals need them: how many there are, and the grant of one.
///
/// The places belong to the instructors; these closures are where they are plugged in.
package struct FoundingPlaces: Sendable {
    /// Domain specification §2.6, `founding_instructor_cap`.
    package static let standardCap = 100

    /// How many there are in all.
    package var cap: @Sendable (Snapshot) throws -> Int
    /// How many are taken.
    package var used: @Sendable (Snapshot) throws -> Int
    /// Gives one to a new instructor; false when none is left.
    package var grant: @Sendable (_ user: ULID, Transaction, Context) throws -> Bool

    /// The ones of this program.
    package static let live = FoundingPlaces(
        cap: { _ in standardCap }, used: { _ in 0 }, grant: { _, _, _ in false })

    /// Free places, promised ones not counted.
    package static func remaining(_ db: Snapshot) throws -> Int {
        max(0, try live.cap(db) - live.used(db))
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
