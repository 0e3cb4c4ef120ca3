import JSON
import Kernel
import Storage

extension PaymentRequest {
    /// The object of an answer to this request.
    func object(of body: JSONValue) -> PaymentObject { PaymentObject(kind, stripe: body) }

    var kind: PaymentObject.Kind {
        switch self {
        case .createCustomer: .customer
        case .createSetupIntent: .setupIntent
        case .attachPaymentMethod, .detachPaymentMethod: .paymentMethod
        case .authorize, .capture, .cancel: .paymentIntent
        case .refund: .refund
        case .transfer: .transfer
        case .reverse: .reversal
        case .createAccount, .weeklyPayouts: .account
        case .accountLink, .loginLink: .link
        case .instantPayout: .payout
        case .createIdentitySession: .identitySession
        }
    }
}

extension PaymentObject.Kind {
    /// The list below `/v1/` where Stripe keeps them; nil where they have none of their own.
    var stripePath: String? {
        switch self {
        case .customer: "customers"
        case .paymentMethod: "payment_methods"
        case .setupIntent: "setup_intents"
        case .paymentIntent: "payment_intents"
        case .refund: "refunds"
        case .transfer: "transfers"
        case .account: "accounts"
        case .payout: "payouts"
        case .event: "events"
        case .identitySession: "identity/verification_sessions"
        case .reversal, .link: nil
        }
    }
}

extension PaymentObject {
    /// An object of Stripe's as far as we use it.
    init(_ kind: Kind, stripe body: JSONValue) {
        func text(_ key: String) -> String? { body[key]?.stringValue }
        self.init(kind: kind, id: text("id") ?? "")
        for (key, value) in body["metadata"]?.objectValue ?? [:] { metadata[key] = value.stringValue }
        status = text("status")
        amount = body["amount"]?.intValue
        customer = Self.id(body["customer"])
        clientSecret = text("client_secret")
        url = text("url")
        created = body["created"]?.intValue.map(StripeEvent.instant)
        switch kind {
        case .paymentIntent: readPayment(body)
        case .refund:
            parent = Self.id(body["payment_intent"])
            charge = Self.id(body["charge"])
        case .transfer:
            destination = Self.id(body["destination"])
            charge = Self.id(body["source_transaction"])
            amountReturned = body["amount_reversed"]?.intValue
            parent = text("transfer_group")
        case .reversal: parent = Self.id(body["transfer"])
        case .paymentMethod:
            brand = body["card"]?["brand"]?.stringValue
            last4 = body["card"]?["last4"]?.stringValue
        case .account:
            let isReady =
                body["charges_enabled"]?.boolValue == true && body["details_submitted"]?.boolValue == true
            status = isReady ? "enabled" : "restricted"
        case .payout: destination = Self.id(body["destination"])
        case .event:
            eventType = text("type")
            self.body = body
        case .customer, .setupIntent, .link, .identitySession: break
        }
    }

    private mutating func readPayment(_ body: JSONValue) {
        let latest = body["latest_charge"]
        amountReceived = body["amount_received"]?.intValue
        amountReturned = latest?["amount_refunded"]?.intValue
        charge = Self.id(latest)
        transfer = Self.id(latest?["transfer"])
        destination = Self.id(body["transfer_data"]?["destination"])
        parent = body["transfer_group"]?.stringValue
        if let error = body["last_payment_error"], !error.isNull { problem = StripeProblem.card(error) }
    }

    /// Of a reference, expanded or not.
    private static func id(_ value: JSONValue?) -> String? {
        value?.stringValue ?? value?["id"]?.stringValue
    }
}
