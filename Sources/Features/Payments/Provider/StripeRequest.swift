import JSON
import Kernel

/// A request of ours as a call of Stripe's API.
///
/// The key goes along as `metadata[operation_key]` wherever something is made that
/// has metadata, so that it is found when the answer was lost. A capture and a
/// cancellation leave the metadata of their payment alone: it names the authorization.
struct StripeRequest {
    static let operationKey = "operation_key"

    let request: PaymentRequest
    let key: String

    init(_ request: PaymentRequest, _ key: String) {
        self.request = request
        self.key = key
    }

    var call: StripeCall {
        var call = bare
        call.key = key
        return call
    }

    private var bare: StripeCall {
        switch request {
        case .createCustomer(let user):
            return post("customers", [:], ["user_id": user.description])
        case .createSetupIntent(let customer):
            return post(
                "setup_intents",
                ["customer": customer, "usage": "off_session", "payment_method_types[0]": "card"], [:])
        case .attachPaymentMethod(let id, let customer):
            return StripeCall(.post, path("payment_methods", id, "attach"), ["customer": customer])
        case .detachPaymentMethod(let id): return StripeCall(.post, path("payment_methods", id, "detach"))
        case .authorize(let authorization): return authorize(authorization)
        case .capture(let intent):
            return StripeCall(.post, path("payment_intents", intent, "capture"), Self.withCharge)
        case .cancel(let intent):
            return StripeCall(.post, path("payment_intents", intent, "cancel"), Self.withCharge)
        case .refund(let refund):
            // No `refund_application_fee`: a payment with `transfer_data[amount]` has no fee object;
            // what is not transferred stays with us and goes back with the refund by itself.
            return post(
                "refunds",
                [
                    "payment_intent": refund.intent, "amount": String(refund.amount),
                    "reason": refund.reason.rawValue, "reverse_transfer": String(refund.reversesTransfer),
                ], [:])
        case .transfer(let transfer):
            var form: StripeForm = [
                "amount": String(transfer.amount), "currency": "usd", "destination": transfer.destination,
            ]
            form["transfer_group"] = transfer.group
            return post("transfers", form, transfer.metadata)
        case .reverse(let transfer, let amount):
            var form: StripeForm = [:]
            form["amount"] = amount.map { String($0) }
            return post(path("transfers", transfer, "reversals"), form, [:])
        default: return ofAccount
        }
    }

    private var ofAccount: StripeCall {
        switch request {
        case .createAccount(let instructor):
            return post(
                "accounts",
                [
                    "type": "express", "country": "US", "capabilities[card_payments][requested]": "true",
                    "capabilities[transfers][requested]": "true",
                ], ["instructor_profile_id": instructor.description])
        case .accountLink(let account, let refreshURL, let returnURL):
            return StripeCall(
                .post, "account_links",
                [
                    "account": account, "refresh_url": refreshURL, "return_url": returnURL,
                    "type": "account_onboarding",
                ])
        case .loginLink(let account): return StripeCall(.post, path("accounts", account, "login_links"))
        case .weeklyPayouts(let account, let anchor):
            return StripeCall(
                .post, path("accounts", account),
                [
                    "settings[payouts][schedule][interval]": "weekly",
                    "settings[payouts][schedule][weekly_anchor]": anchor,
                ])
        case .instantPayout(let account, let amount):
            var call = post(
                "payouts", ["amount": String(amount), "currency": "usd", "method": "instant"], [:])
            call.account = account
            return call
        case .createIdentitySession(let user, let returnURL):
            var form: StripeForm = ["type": "document", "client_reference_id": user.description]
            form["return_url"] = returnURL
            return post("identity/verification_sessions", form, ["user_id": user.description])
        default: return StripeCall(.get, "")
        }
    }

    private func authorize(_ authorization: PaymentRequest.Authorization) -> StripeCall {
        var form: StripeForm = [
            "amount": String(authorization.amount), "currency": "usd", "customer": authorization.customer,
            "payment_method": authorization.paymentMethod, "capture_method": "manual", "confirm": "true",
            // Cards alone: others would send the student somewhere and need a way back.
            "payment_method_types[0]": "card",
            "transfer_group": "booking:\(authorization.booking)",
        ]
        if authorization.isOffSession { form["off_session"] = "true" }
        if authorization.transferAmount > 0 {
            form["transfer_data[destination]"] = authorization.destination
            form["transfer_data[amount]"] = String(authorization.transferAmount)
        }
        form.pairs += Self.withCharge.pairs
        let booking = ["booking_id": authorization.booking.description]
        return post("payment_intents", form, authorization.metadata.merging(booking) { $1 })
    }

    static let withCharge: StripeForm = ["expand[0]": "latest_charge"]

    private func post(_ path: String, _ form: StripeForm, _ metadata: [String: String]) -> StripeCall {
        var form = form
        form.add("metadata", metadata.merging([Self.operationKey: key]) { $1 })
        return StripeCall(.post, path, form)
    }

    /// Ids from outside become one component each.
    private func path(_ parts: String...) -> String { Self.path(parts) }

    static func path(_ parts: [String]) -> String {
        parts.map(ServiceURL.escaped).joined(separator: "/")
    }
}
