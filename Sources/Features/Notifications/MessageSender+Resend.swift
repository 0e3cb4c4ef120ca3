import JSON
import Kernel

extension MessageSender {
    /// Resend's HTTP API (`POST /emails`, resend.com/docs/api-reference).
    ///
    /// It remembers an `Idempotency-Key` for 24 hours and answers a repeat as it did
    /// the first time, so a call of unknown outcome is made again as it was.
    static func resend(apiKey: String, from: String) -> MessageSender {
        MessageSender(
            name: "resend", address: from, doubt: .repeat,
            send: { message, clients in
                let request = resendRequest(message, apiKey: apiKey, from: from)
                switch try await answer(request, clients) {
                case .success(let answer): return resendOutcome(answer)
                case .failure(let failure) where failure.problem == .invalidURL:
                    return .refused(code: "resend: \(failure.reason)")
                case .failure(let failure): return .unknown(reason: "resend: \(failure.reason)")
                }
            })
    }

    private static func resendRequest(_ message: OutboxMessage, apiKey: String, from: String)
        -> Clients.HTTPRequest
    {
        // Byte for byte the same on a repeat: the provider compares.
        var body: JSONObject = [
            "from": .string(message.sender ?? from), "to": [.string(message.recipient)],
            "subject": .string(message.subject ?? ""), "text": .string(message.text ?? ""),
        ]
        if let html = message.html { body["html"] = .string(html) }
        return Clients.HTTPRequest(
            .post, "https://api.resend.com/emails",
            headers: [
                ("Authorization", "Bearer \(apiKey)"), ("Content-Type", "application/json"), userAgent,
                ("Idempotency-Key", message.idempotencyKey),
            ], body: JSONValue.object(body).encoded(), timeout: patience, maximumBytes: maximumBytes)
    }

    private static func resendOutcome(_ answer: Clients.HTTPAnswer) -> SendOutcome {
        let body = try? JSONValue(parsing: answer.body)
        let name = body?["name"]?.stringValue
        let code = "resend: " + code(answer.status, name)
        switch answer.status {
        case 200...299:
            guard let id = id(body?["id"]?.stringValue) else {
                return .unknown(reason: "resend: \(answer.status) without an id")
            }
            return .accepted(id: id)
        case 429:
            // A quota is used up for the rest of a day or month; a rate for a moment.
            let isQuota = name?.contains("quota") == true
            return .busy(code: code, wait: wait(answer, otherwise: isQuota ? .seconds(3_600) : .seconds(2)))
        case 409 where name != "invalid_idempotent_request":
            // The first call with this key is still being worked on.
            return .unknown(reason: code)
        case 408, 425, 500...: return .unknown(reason: code)
        default: return .refused(code: code)
        }
    }
}
