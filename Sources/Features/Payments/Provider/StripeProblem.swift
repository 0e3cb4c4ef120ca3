import JSON
import Kernel

/// A refusal of Stripe's, in our words.
///
/// Source: docs.stripe.com/error-codes and /declines/codes. Its codes decide and
/// its texts never: they change, and they are written for people.
struct StripeProblem {
    let status: Int
    let error: JSONValue

    init(_ answer: StripeAnswer) {
        status = answer.status
        error = answer.body["error"] ?? .null
    }

    var problem: PaymentProblem {
        if error["type"]?.stringValue == "card_error" { return Self.card(error) }
        return PaymentProblem(kind)
    }

    /// Why a bank refused, of an answer or of a payment's `last_payment_error`.
    static func card(_ error: JSONValue) -> PaymentProblem {
        let code = error["code"]?.stringValue ?? ""
        let reason = error["decline_code"]?.stringValue ?? code
        let kind: PaymentProblem.Kind =
            switch (code, reason) {
            case ("expired_card", _), (_, "expired_card"): .expiredCard
            case ("insufficient_funds", _), (_, "insufficient_funds"): .insufficientFunds
            case ("authentication_required", _), (_, "authentication_required"),
                ("payment_intent_authentication_failure", _), ("setup_intent_authentication_failure", _):
                .authenticationRequired
            default: .cardDeclined
            }
        let isWord = !reason.isEmpty && reason.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
        return PaymentProblem(kind, declineCode: isWord ? reason : nil)
    }

    private var kind: PaymentProblem.Kind {
        if error["type"]?.stringValue == "idempotency_error" { return .keyReused }
        switch error["code"]?.stringValue {
        case "charge_already_captured": return .alreadyCaptured
        case "charge_expired_for_capture", "payment_intent_payment_attempt_expired": return .canceled
        case "payment_intent_unexpected_state":
            switch error["payment_intent"]?["status"]?.stringValue {
            case "succeeded": return .alreadyCaptured
            case "canceled": return .canceled
            default: return .other
            }
        case "charge_already_refunded": return .alreadyRefunded
        case "balance_insufficient", "insufficient_funds": return .insufficientBalance
        case "account_invalid", "account_closed", "insufficient_capabilities_for_transfer",
            "transfers_not_allowed", "payouts_not_allowed", "instant_payouts_unsupported":
            return .accountNotReady
        case "resource_missing": return .notFound
        default: return status == 401 || status == 403 ? .credentials : status == 404 ? .notFound : .other
        }
    }
}
