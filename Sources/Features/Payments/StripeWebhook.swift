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
        let secrets = context.configuration.stripeSecrets
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
        case "charge.succeeded", "charge.failed": return try stripe.related(tx)
        case "charge.refunded": return try stripe.refund(tx, context)
        case "charge.dispute.created": return try stripe.dispute(closed: false, tx, context)
        case "charge.dispute.closed": return try stripe.dispute(closed: true, tx, context)
        case "account.updated": return try stripe.updateAccount(tx, context)
        case "account.application.deauthorized": return try stripe.deauthorize(tx, context)
        case "payout.created", "payout.paid", "payout.failed": return try stripe.payout(tx, context)
        case let type where type.hasPrefix("payment_intent."): return try stripe.paymentIntent(tx, context)
        case let type where type.hasPrefix("identity.verification_session."):
            return try stripe.identity(tx, context)
        // Transfers are recorded as received; anything else is not ours to act on.
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

    /// The payment intent that a charge or dispute belongs to.
    func paymentIntent(named key: String, _ tx: Transaction) throws -> PaymentIntent? {
        guard let id = object[key]?.stringValue else { return nil }
        return try PaymentIntent.lock(provider: id, tx)
    }

    /// Writes the history row of a booking once per event.
    func note(_ type: String, _ booking: ULID, _ data: JSONObject, _ tx: Transaction, _ context: Context)
        throws
    {
        try tx.run(
            """
            INSERT INTO payment_events (id, booking_id, event_type, event_data, source_event, created_at)
            VALUES (\(context.newID()), \(booking), \(type), \(JSONValue.object(data).text), \
            \(body["id"]?.stringValue ?? event.id.description), \(context.now)) ON CONFLICT DO NOTHING
            """)
    }
}
