import JSON

/// A test card: what happens follows from it alone.
///
/// Source: docs.stripe.com/testing for all but the last two, which are ours.
struct SandboxCard: Sendable {
    enum Course: Sendable, Hashable {
        case pays
        case declines(code: String, reason: String)
        /// The bank wants to be asked every time.
        case asks
        /// The student complains to the bank ``SandboxCard/complaint`` after the capture.
        case disputes
        /// The first capture fails, and every one until ``SandboxCard/recovery`` has passed.
        case capturesLate
        case neverCaptures
    }

    /// From a capture to its dispute.
    static let complaint = Duration.seconds(3_600)
    /// From the first capture that fails to one that does not.
    static let recovery = Duration.seconds(6 * 3_600)

    var name: String
    var number: String
    var brand = "visa"
    var course: Course

    var last4: String { String(number.suffix(4)) }

    static let all: [SandboxCard] =
        [
            SandboxCard(name: "pm_card_visa", number: "4242424242424242", course: .pays),
            SandboxCard(
                name: "pm_card_mastercard", number: "5555555555554444", brand: "mastercard", course: .pays),
            SandboxCard(name: "pm_card_amex", number: "378282246310005", brand: "amex", course: .pays),
            declining("", "4000000000000002", "card_declined", "generic_decline"),
            declining("InsufficientFunds", "4000000000009995", "card_declined", "insufficient_funds"),
            declining("LostCard", "4000000000009987", "card_declined", "lost_card"),
            declining("StolenCard", "4000000000009979", "card_declined", "stolen_card"),
            declining("ExpiredCard", "4000000000000069", "expired_card", "expired_card"),
            declining("IncorrectCvc", "4000000000000127", "incorrect_cvc", "incorrect_cvc"),
            declining("ProcessingError", "4000000000000119", "processing_error", "processing_error"),
            SandboxCard(
                name: "pm_card_chargeCustomerFail", number: "4000000000000341",
                course: .declines(code: "card_declined", reason: "generic_decline")),
            SandboxCard(name: "pm_card_authenticationRequired", number: "4000002760003184", course: .asks),
            SandboxCard(name: "pm_card_createDispute", number: "4000000000000259", course: .disputes),
            SandboxCard(name: "pm_card_captureFailsLater", number: "4000000000005001", course: .capturesLate),
            SandboxCard(name: "pm_card_captureFails", number: "4000000000005019", course: .neverCaptures),
        ]

    private static func declining(_ name: String, _ number: String, _ code: String, _ reason: String)
        -> SandboxCard
    {
        SandboxCard(
            name: "pm_card_chargeDeclined\(name)", number: number,
            course: .declines(code: code, reason: reason))
    }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Stripe knows the declining ones with the brand in their names too.
    static func named(_ name: String) -> SandboxCard? {
        byName[name] ?? byName[name.replacing("pm_card_visa_", with: "pm_card_")]
    }

    static func numbered(_ number: String) -> SandboxCard? { all.first { $0.number == number } }

    /// What a bank's refusal says.
    static func error(code: String, reason: String) -> JSONObject {
        let message =
            switch (code, reason) {
            case ("expired_card", _): "Your card has expired."
            case ("incorrect_cvc", _): "Your card's security code is incorrect."
            case ("processing_error", _): "An error occurred while processing your card."
            case ("authentication_required", _): "Your card was declined. It requires authentication."
            case (_, "insufficient_funds"): "Your card has insufficient funds."
            default: "Your card was declined."
            }
        var error: JSONObject = [
            "type": "card_error", "code": .string(code), "message": .string(message),
            "doc_url": .string("https://stripe.com/docs/error-codes/\(code.replacing("_", with: "-"))"),
        ]
        if code == "card_declined" || code == "authentication_required" {
            error["decline_code"] = .string(reason)
        }
        return error
    }

    /// The `card` of a payment method.
    var shown: JSONObject {
        [
            "brand": .string(brand),
            "checks": [
                "address_line1_check": .null, "address_postal_code_check": .null, "cvc_check": "pass",
            ],
            "country": "US", "exp_month": 12, "exp_year": 2040,
            "fingerprint": .string("fp" + String(number.reversed().suffix(14))), "funding": "credit",
            "generated_from": .null, "last4": .string(last4),
            "networks": ["available": [.string(brand)], "preferred": .null],
            "three_d_secure_usage": ["supported": true], "wallet": .null,
        ]
    }
}
