package import Kernel
package import Storage

extension PaymentProvider {
    /// The one that the settings choose, for whoever cannot go on without.
    package static func required(_ context: Context, _ database: any Database) throws -> PaymentProvider {
        guard let provider = of(context, database) else {
            throw Failure(
                .unavailable, "No payment provider is configured; set STRIPE_API_KEY.",
                reason: "payments_not_configured")
        }
        return provider
    }

    /// The same for ``Kernel/Command/prepare(_:_:)``.
    package static func required(_ context: Context, _ db: Reader) throws -> PaymentProvider {
        try required(context, db.behind)
    }
}

extension PaymentProvider {
    /// Sends a call that its caller waits for, and that moves no money.
    ///
    /// - Throws: ``Kernel/Failure`` in the caller's words unless it was done.
    package func ask(_ request: PaymentRequest, key: String) async throws -> PaymentObject {
        try Self.done(await send(request, key))
    }

    /// One object as it is now; nil when there is none of that id.
    package func look(_ kind: PaymentObject.Kind, _ id: String) async throws -> PaymentObject? {
        switch try await retrieve(kind, id) {
        case .refused(let problem) where problem.kind == .notFound: nil
        case let outcome: try Self.done(outcome)
        }
    }

    private static func done<Value>(_ outcome: PaymentOutcome<Value>) throws -> Value {
        switch outcome {
        case .done(let value): return value
        case .refused(let problem) where problem.isOfCard:
            throw Failure(
                .conflict, "The card was not accepted (\(problem.kind.rawValue)).",
                hint: "Choose another card.",
                reason: "card_not_accepted")
        case .refused(let problem):
            throw Failure(
                .unavailable, "The payment provider refused (\(problem.kind.rawValue)).",
                reason: "payment_provider_refused")
        case .busy(let wait): throw failure("is busy", after: wait)
        case .unknown: throw failure("did not answer", after: .seconds(5))
        }
    }

    private static func failure(_ what: String, after wait: Duration) -> Failure {
        var failure = Failure(
            .unavailable, "The payment provider \(what).",
            hint: "Try again in a moment; nothing was charged.",
            reason: "payment_provider_unavailable")
        failure.retryAfter = wait
        return failure
    }
}
