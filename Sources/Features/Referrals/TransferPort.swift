package import Kernel

/// The port to whoever moves money to instructors.
///
/// A call happens outside of transactions. Called twice with one key it moves the
/// money once.
package struct TransferPort: Sendable {
    /// How one call ended. Reasons are short and name nobody.
    package enum Outcome: Sendable, Hashable {
        case completed(id: String)
        /// It was refused and no money moved.
        case refused(reason: String)
        /// It may have moved, or nobody could be asked; the same call is made again later.
        case pending(reason: String)
    }

    package var transfer: @Sendable (InstructorReferralPayout, Clients) async throws -> Outcome

    package init(transfer: @escaping @Sendable (InstructorReferralPayout, Clients) async throws -> Outcome) {
        self.transfer = transfer
    }

    /// Moves nothing: payouts wait.
    package static let notConnected = TransferPort { _, _ in
        .pending(reason: "no payment provider is connected")
    }

    /// The one that the settings choose.
    package static func of(_ configuration: Configuration) -> TransferPort { .notConnected }
}
