import JSON
import Kernel
import Storage

/// An event of the built-in Stripe as it is stored, listed and sent.
struct SandboxEvent: Sendable {
    let id: String
    let type: String
    let account: String
    let object: JSONObject
    let key: String?
    let at: Instant

    var values: SQL { "(\(id), \(type), \(account), \(payload.description), \(at))" }

    private var payload: JSONObject {
        var payload: JSONObject = [
            "id": .string(id), "object": "event", "api_version": .string(StripeHTTPS.version),
            "created": .int(at.wholeSeconds), "data": ["object": .object(object)], "livemode": false,
            "pending_webhooks": 1,
            "request": ["id": .null, "idempotency_key": .text(key)], "type": .string(type),
        ]
        if !account.isEmpty { payload["account"] = .string(account) }
        return payload
    }
}
