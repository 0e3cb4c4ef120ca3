import JSON
import Kernel
import Storage

/// Webhook bodies as Stripe and Checkr send them, about a made-up marketplace.
struct DemoEvents {
    var random: DemoRandom

    /// One lesson's payment, from authorisation to what may come after.
    struct Payment: Sendable {
        var bookingID: ULID
        var intentID: String
        var chargeID: String
        var amount: Int
    }

    mutating func payment(_ bookingID: ULID) -> Payment {
        Payment(
            bookingID: bookingID, intentID: random.token("pi_3"), chargeID: random.token("ch_3"),
            amount: Int.random(in: 40...180, using: &random) * 100)
    }

    mutating func intent(_ type: String, _ payment: Payment, status: String, at: Instant) -> JSONValue {
        stripe(
            "payment_intent.\(type)", at: at,
            [
                "id": .string(payment.intentID), "object": "payment_intent", "amount": .int(payment.amount),
                "currency": "usd", "status": .string(status), "latest_charge": .string(payment.chargeID),
                "client_secret": .string("\(payment.intentID)_secret_\(random.token("", 12))"),
                "receipt_email": .string("student\(Int.random(in: 1...900, using: &random))@example.com"),
                "metadata": ["booking_id": .string(payment.bookingID.description)],
            ])
    }

    mutating func charge(_ type: String, _ payment: Payment, refunded: Int = 0, at: Instant) -> JSONValue {
        stripe(
            "charge.\(type)", at: at,
            [
                "id": .string(payment.chargeID), "object": "charge", "amount": .int(payment.amount),
                "amount_refunded": .int(refunded), "refunded": .bool(refunded >= payment.amount),
                "currency": "usd",
                "payment_intent": .string(payment.intentID), "status": "succeeded",
                "payment_method_details": ["type": "card", "card": ["brand": "visa", "last4": "4242"]],
                "billing_details": [
                    "name": "Sam Student", "address": ["line1": "1 Main St", "postal_code": "10001"],
                ],
            ])
    }

    mutating func dispute(_ type: String, _ payment: Payment, id: String, status: String, at: Instant)
        -> JSONValue
    {
        stripe(
            "charge.dispute.\(type)", at: at,
            [
                "id": .string(id), "object": "dispute", "amount": .int(payment.amount), "currency": "usd",
                "charge": .string(payment.chargeID), "payment_intent": .string(payment.intentID),
                "reason": "product_not_received", "status": .string(status),
            ])
    }

    mutating func account(_ account: String, at: Instant) -> JSONValue {
        stripe(
            "account.updated", at: at, account: account,
            [
                "id": .string(account), "object": "account", "charges_enabled": true,
                "details_submitted": true,
                "payouts_enabled": true,
            ])
    }

    mutating func payout(_ type: String, account: String, at: Instant) -> JSONValue {
        let isFailure = type == "failed"
        return stripe(
            "payout.\(type)", at: at, account: account,
            [
                "id": .string(random.token("po_1")), "object": "payout", "currency": "usd",
                "amount": .int(Int.random(in: 50...900, using: &random) * 100),
                "destination": .string(random.token("ba_1")),
                "status": .string(isFailure ? "failed" : type == "paid" ? "paid" : "pending"),
                "arrival_date": .int(Int(at.microseconds / 1_000_000) + 172_800),
                "failure_code": isFailure ? "account_closed" : .null,
                "failure_message": isFailure ? "The bank account has been closed" : .null,
            ])
    }

    mutating func report(_ type: String, candidate: String, result: String?, at: Instant) -> JSONValue {
        [
            "id": .string(random.token("evt_ck_")), "object": "event", "type": .string("report.\(type)"),
            "created_at": .string(at.description),
            "data": [
                "object": [
                    "id": .string(random.token("rep_")), "object": "report",
                    "status": type == "completed" ? "complete" : "pending",
                    "result": result.map { .string($0) } ?? .null, "package": "basic_plus",
                    "candidate_id": .string(candidate), "completed_at": .string(at.description),
                ]
            ],
        ]
    }

    private mutating func stripe(_ type: String, at: Instant, account: String? = nil, _ object: JSONObject)
        -> JSONValue
    {
        var event: JSONObject = [
            "id": .string(random.token("evt_1", 20)), "object": "event", "type": .string(type),
            "created": .int(Int(at.microseconds / 1_000_000)), "livemode": false,
            "api_version": "2025-12-15.clover",
            "pending_webhooks": 1, "data": ["object": .object(object)],
        ]
        if let account { event["account"] = .string(account) }
        return .object(event)
    }
}
