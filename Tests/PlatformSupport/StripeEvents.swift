package import JSON
import Storage

/// Stripe events as they arrive, reduced to what matters here.
package enum StripeEvents {
    /// - Parameter seconds: `created`, in seconds after ``TestClock/start``.
    package static func event(
        _ id: String, _ type: String, at seconds: Int, account: String? = nil, _ object: JSONObject
    ) -> JSONValue {
        var event: JSONObject = [
            "id": .string(id), "object": "event", "type": .string(type), "created": .int(epoch + seconds),
            "livemode": false, "data": ["object": .object(object)],
        ]
        if let account { event["account"] = .string(account) }
        return .object(event)
    }

    package static func paymentIntent(
        _ id: String, _ type: String, _ status: String, intent: String = "pi_1", at seconds: Int
    ) -> JSONValue {
        event(
            id, "payment_intent.\(type)", at: seconds,
            ["id": .string(intent), "object": "payment_intent", "status": .string(status), "amount": 5_000])
    }

    package static func refund(_ id: String, total: Int, intent: String = "pi_1", at seconds: Int)
        -> JSONValue
    {
        event(
            id, "charge.refunded", at: seconds,
            [
                "id": "ch_1", "object": "charge", "payment_intent": .string(intent), "amount": 5_000,
                "amount_refunded": .int(total), "refunded": .bool(total == 5_000),
            ])
    }

    package static func dispute(
        _ id: String, _ type: String, _ status: String, dispute: String = "dp_1", intent: String = "pi_1",
        opened: Int, at seconds: Int
    ) -> JSONValue {
        event(
            id, "charge.dispute.\(type)", at: seconds,
            [
                "id": .string(dispute), "object": "dispute", "payment_intent": .string(intent),
                "charge": "ch_1", "status": .string(status), "amount": 5_000, "created": .int(epoch + opened),
            ])
    }

    package static func payout(_ id: String, _ status: String, account: String?, at seconds: Int) -> JSONValue
    {
        event(
            id, "payout.\(status)", at: seconds, account: account,
            [
                "id": "po_1", "object": "payout", "status": .string(status == "created" ? "pending" : status),
                "amount": 12_300, "arrival_date": .int(epoch + 86_400), "destination": "ba_1",
            ])
    }

    private static var epoch: Int { Int(TestClock.start.microseconds / 1_000_000) }
}

/// Checkr events as they arrive, with `include_object` switched on.
package enum CheckrEvents {
    package static func event(
        _ id: String, _ type: String, at seconds: Int, candidate: String = "cand_1",
        _ object: JSONObject = [:]
    ) -> JSONValue {
        let time = TestClock.start + .seconds(seconds)
        let kind = type.split(separator: ".").first.map(String.init) ?? ""
        let base: JSONObject = [
            "id": .string("\(kind)_1"), "object": .string(kind), "candidate_id": .string(candidate),
        ]
        return .object([
            "id": .string(id), "object": "event", "type": .string(type),
            "created_at": .string(time.description),
            "data": ["object": .object(base.merging(object))],
        ])
    }

    package static func completed(
        _ id: String, _ result: String, report: String = "report_1", candidate: String = "cand_1",
        at seconds: Int
    ) -> JSONValue {
        event(
            id, "report.completed", at: seconds, candidate: candidate,
            [
                "id": .string(report), "status": "complete", "result": .string(result),
                "package": "basic_plus",
                "completed_at": .string((TestClock.start + .seconds(seconds)).description),
            ])
    }
}
