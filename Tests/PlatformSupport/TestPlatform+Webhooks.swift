import Features
package import JSON
package import Kernel
import Storage

// Telling the platform what Stripe and Checkr would.
extension TestPlatform {
    /// A Stripe request, signed with the test's secret at the present time.
    package func stripeRequest(
        _ body: [UInt8], secret: String = stripeSecret, headers: [(name: String, value: String)] = []
    ) -> WebhookRequest {
        let signature = StripeSignature.sign(
            body: body, secret: secret, seconds: now.microseconds / 1_000_000)
        return WebhookRequest(headers: [("Stripe-Signature", signature)] + headers, body: body)
    }

    /// A Checkr request with both of its factors.
    package func checkrRequest(
        _ body: [UInt8], deliveryID: String? = nil, key: String = checkrKey
    ) -> WebhookRequest {
        let credentials = BasicCredentials(user: Self.checkrUser, password: Self.checkrPassword)
        var headers = [
            (name: "Authorization", value: credentials.header),
            (name: "X-Checkr-Signature", value: CheckrSignature.sign(body: body, apiKey: key)),
        ]
        if let deliveryID { headers.append((name: "X-Checkr-Delivery-Id", value: deliveryID)) }
        return WebhookRequest(headers: headers, body: body)
    }

    /// Delivers a signed Stripe event; returns once it is durable.
    @discardableResult
    package func deliver(stripe event: JSONValue) async throws -> WebhookLedger.Receipt {
        try await ledger.receive(
            StripeWebhook.self, stripeRequest(event.encoded()), context(.webhook("stripe"), surface: .webhook)
        )
    }

    /// Delivers a signed Checkr event; returns once it is durable.
    @discardableResult
    package func deliver(checkr event: JSONValue, deliveryID: String? = nil) async throws
        -> WebhookLedger.Receipt
    {
        try await ledger.receive(
            CheckrWebhook.self, checkrRequest(event.encoded(), deliveryID: deliveryID),
            context(.webhook("checkr"), surface: .webhook))
    }

    /// Delivers an event of a source that the test declares.
    @discardableResult
    package func deliver(
        _ source: any WebhookSource.Type, _ event: JSONValue
    ) async throws -> WebhookLedger.Receipt {
        try await ledger.receive(
            source, WebhookRequest(headers: [], body: event.encoded()),
            context(.webhook(source.name), surface: .webhook))
    }
}

extension WebhookLedger.Receipt {
    /// The ledger row, whichever delivery made it.
    package var id: ULID {
        switch self {
        case .stored(let id), .duplicate(let id): id
        }
    }
}
