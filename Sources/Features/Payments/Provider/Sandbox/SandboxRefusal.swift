import JSON

/// An error answer of the built-in Stripe.
struct SandboxRefusal: Error, Sendable {
    var status: Int
    var error: JSONObject
    /// Whether the call was carried out that far: then what it did stays, and its key answers so again.
    var isKept = false

    var answer: StripeAnswer {
        // Nothing that is refused here is taken when it is repeated, but for a key in use.
        StripeAnswer(status, ["error": .object(error)], shouldRetry: status == 409)
    }

    /// - Parameter param: the parameter that is wrong.
    static func invalid(_ code: String?, _ message: String, param: String? = nil, status: Int = 400)
        -> SandboxRefusal
    {
        var error: JSONObject = ["type": "invalid_request_error", "message": .string(message)]
        if let code {
            error["code"] = .string(code)
            error["doc_url"] = .string(
                "https://stripe.com/docs/error-codes/\(code.replacing("_", with: "-"))")
        }
        if let param { error["param"] = .string(param) }
        return SandboxRefusal(status: status, error: error)
    }

    static func missing(_ kind: String, _ id: String, param: String = "id") -> SandboxRefusal {
        let noun = kind.replacing("_", with: " ").replacing(".", with: " ")
        return invalid(
            "resource_missing", "No such \(noun): '\(id.prefix(100))'", param: param,
            status: param == "id" ? 404 : 400)
    }

    static func unknownRoute(_ call: StripeCall) -> SandboxRefusal {
        invalid(
            nil, "Unrecognized request URL (\(call.method.rawValue): /v1/\(call.path.prefix(200))).",
            status: 404)
    }

    /// What is refused because of the state that something is in.
    static func state(_ code: String?, _ message: String, _ more: JSONObject = [:], param: String? = nil)
        -> SandboxRefusal
    {
        var refusal = invalid(code, message, param: param)
        refusal.error.merge(more)
        refusal.isKept = true
        return refusal
    }

    static func idempotency(_ status: Int, _ code: String?, _ message: String) -> SandboxRefusal {
        var error: JSONObject = ["type": "idempotency_error", "message": .string(message)]
        if let code { error["code"] = .string(code) }
        return SandboxRefusal(status: status, error: error)
    }
}
