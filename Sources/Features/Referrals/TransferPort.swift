package import Kernel
package import Storage

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

    package var transfer: @Sendable (InstructorReferralPayout) async throws -> Outcome

    package init(transfer: @escaping @Sendable (InstructorReferralPayout) async throws -> Outcome) {
        self.transfer = transfer
    }

    /// Moves nothing: payouts wait.
    package static let notConnected = TransferPort { _ in
        .pending(reason: "no payment provider is connected")
    }

    /// The payment provider that the settings choose.
    package static func of(_ context: Context, _ database: any Database) -> TransferPort {
        guard let provider = PaymentProvider.of(context, database) else { return .notConnected }
        return TransferPort { payout in
            let account = try await database.read { try ConnectedAccount.of(instructor: payout.referrer, $0) }
            guard let account, account.isReady else {
                return .pending(reason: "there is no account yet that money can be paid to")
            }
            return try await transfer(payout, to: account.stripeID, provider)
        }
    }

    private static func transfer(
        _ payout: InstructorReferralPayout, to account: String, _ provider: PaymentProvider
    ) async throws -> Outcome {
        let request = PaymentRequest.transfer(
            .init(
                amount: payout.amountCents, destination: account, group: "referral:\(payout.id)",
                metadata: ["referral_payout_id": payout.id.description]))
        // An answer may have been lost, however long ago: it is asked before it is sent.
        switch try await provider.find(request, payout.transferKey) {
        case .done(let found?): return .completed(id: found.id)
        case .done(nil), .refused: break
        case .busy: return .pending(reason: "the payment provider is busy")
        case .unknown(let reason): return .pending(reason: reason)
        }
        switch try await provider.send(request, payout.transferKey) {
        case .done(let made): return .completed(id: made.id)
        case .refused(let problem): return .refused(reason: problem.kind.rawValue)
        case .busy: return .pending(reason: "the payment provider is busy")
        case .unknown(let reason): return .pending(reason: reason)
        }
    }
}
