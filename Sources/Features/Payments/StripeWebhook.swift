import JSON
package import Kernel
package import Storage

/// Stripe telling us what became of money.
///
/// Source: docs.stripe.com/webhooks (signature over `t.body`, retries, no
/// order guarantee); domain specification §5.1 for what each type does.
package struct StripeWebhook: WebhookSource {
    package static let name = "stripe"
    package static let path = "/api/v1/payments/webhooks/stripe"

    package static func verify(_ request: WebhookRequest, _ context: Context) throws -> Delivery {
        let secrets = context.configuration.stripeSecrets + StripeAccount.sandboxSecrets(context)
        guard !secrets.isEmpty else {
            throw WebhookRefusal(
                500, "not_configured", "No STRIPE_WEBHOOK_SECRET is set; the event was not accepted.")
        }
        guard let header = request.header("stripe-signature") else {
            throw WebhookRefusal(400, "missing_signature", "The Stripe-Signature header is missing.")
        }
        do {
            _ = try StripeSignature.verify(
                header: header, body: request.body, secrets: secrets,
                nowMilliseconds: context.now.microseconds / 1_000)
        } catch { throw WebhookRefusal(400, "invalid_signature", "The signature does not verify: \(error).") }
        guard let payload = try? JSONValue(parsing: request.body), case .object = payload,
            let id = Delivery.name(payload["id"], maximum: 255),
            let type = Delivery.name(payload["type"], maximum: 100)
        else {
            throw WebhookRefusal(
                400, "invalid_event", "The body must be a JSON object with the texts 'id' and 'type'.")
        }
        return Delivery(eventID: id, eventType: type, payload: payload)
    }

    package static func handle(_ event: WebhookEvent, _ tx: Transaction, _ context: Context) throws
        -> HandledWebhook
    {
        let stripe = try StripeEvent(event)
        switch event.eventType {
        case "charge.refunded": return try stripe.refund(tx, context)
        case "charge.dispute.created": return try stripe.dispute(closed: false, tx, context)
        case "charge.dispute.closed": return try stripe.dispute(closed: true, tx, context)
        case "account.updated": return try stripe.updateAccount(tx, context)
        case "account.application.deauthorized": return try stripe.deauthorize(tx, context)
        case "payout.created", "payout.paid", "payout.failed", "payout.canceled":
            return try stripe.payout(tx, context)
        case let type where type.hasPrefix("payment_intent."): return try stripe.paymentIntent(tx, context)
        case let type where type.hasPrefix("identity.verification_session."):
            return try stripe.identity(tx, context)
        // Recorded, and findable from what they are about; the money was moved by others.
        case let type where type.hasPrefix("charge.") || type.hasPrefix("refund."):
            return try stripe.related(tx)
        case let type where type.hasPrefix("transfer."): return try stripe.transfer(tx)
        // Anything else is not ours to act on.
        default: return .processed(related: nil)
        }
    }
}

/// A stored Stripe event, read as far as its type promises.
struct StripeEvent {
    let event: WebhookEvent
    let body: JSONValue
    let object: JSONValue
    /// When Stripe says that it happened.
    let created: Instant

    init(_ event: WebhookEvent) throws {
        self.event = event
        body = try event.body
        object = body["data"]?["object"] ?? .object([:])
        let seconds = body["created"]?.intValue ?? Int(event.receivedAt.microseconds / 1_000_000)
        created = Self.instant(seconds)
    }

    /// The moment that many seconds after 1970.
    static func instant(_ seconds: Int) -> Instant {
        let (microseconds, overflow) = Int64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000)
        return Instant(microseconds: overflow ? 0 : microseconds)
    }

    func text(_ key: String) throws -> String {
        guard let text = object[key]?.stringValue, !text.isEmpty else {
            throw Failure(.invalidInput, "data.object.\(key) is missing in \(event.eventType).")
        }
        return text
    }

    /// A payment and its booking, both locked, the booking first as ever.
    func payment(_ id: String?, _ tx: Transaction) throws -> (intent: PaymentIntent, booking: Booking)? {
        guard let id, let bookingID = try PaymentIntent.booking(ofProvider: id, tx),
            let booking = try Booking.lock(bookingID, tx),
            let intent = try PaymentIntent.lock(provider: id, tx)
        else { return nil }
        return (intent, booking)
    }

    /// The payment that a charge, refund or dispute belongs to.
    func payment(_ tx: Transaction) throws -> (intent: PaymentIntent, booking: Booking)? {
        try payment(object["payment_intent"]?.stringValue, tx)
    }

    /// What an event is about is not stored here.
    ///
    /// - Throws: a failure after which it is tried again, while the call that makes it is under way.
    func unknown(_ what: String, _ tx: Transaction) throws -> HandledWebhook {
        let booking = object["metadata"]?["booking_id"]?.stringValue.flatMap { ULID($0) }
        if let booking, try MoneyPlan.running(booking, tx) != nil {
            throw Failure(
                .unavailable, "The payment of the booking \(booking) is being made: the event comes first.")
        }
        return .unmatched(what)
    }
}
