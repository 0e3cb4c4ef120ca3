import FoundationEssentials
import JSON
import Kernel
import Storage

extension MessageSender {
    /// Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource).
    ///
    /// It has no idempotency key, so after a call of unknown outcome the messages
    /// to that number are listed before another one is made; see ``TwilioLookUp``.
    ///
    /// - Parameter from: a number or sender name, or a messaging service's id (`MG…`).
    static func twilio(account: String, token: String, from: String) -> MessageSender {
        let api = TwilioAPI(account: account, token: token)
        return MessageSender(
            name: "twilio", address: from,
            doubt: .lookUp { message, clients, known in
                try await TwilioLookUp(message: message).ask(api, clients, known)
            },
            send: { message, clients in
                switch try await answer(api.sending(message, from: from), clients) {
                case .success(let answer): return twilioOutcome(answer)
                case .failure(let failure) where failure.problem == .invalidURL:
                    return .refused(code: "twilio: \(failure.reason)")
                case .failure(let failure): return .unknown(reason: "twilio: \(failure.reason)")
                }
            })
    }

    private static func twilioOutcome(_ answer: Clients.HTTPAnswer) -> SendOutcome {
        let body = try? JSONValue(parsing: answer.body)
        let code = "twilio: " + code(answer.status, body?["code"]?.intValue.map { String($0) })
        switch answer.status {
        case 200...299:
            guard let body, let id = id(body["sid"]?.stringValue) else {
                return .unknown(reason: "twilio: \(answer.status) without a sid")
            }
            return TwilioAPI.failure(body).map { .refused(code: $0) } ?? .accepted(id: id)
        case 429: return .busy(code: code, wait: wait(answer, otherwise: .seconds(5)))
        case 408, 425, 500...: return .unknown(reason: code)
        default: return .refused(code: code)
        }
    }
}

/// Requests to Twilio's Messages resource.
struct TwilioAPI: Sendable {
    static let pageSize = 100
    private let url: String
    private let authorization: String

    init(account: String, token: String) {
        url = "https://api.twilio.com/2010-04-01/Accounts/\(ServiceURL.escaped(account))/Messages.json"
        authorization = "Basic " + Data("\(account):\(token)".utf8).base64EncodedString()
    }

    func sending(_ message: OutboxMessage, from: String) -> Clients.HTTPRequest {
        let sender = message.sender ?? from
        let form = [
            ("To", message.recipient), ("Body", message.text ?? ""),
            (sender.hasPrefix("MG") ? "MessagingServiceSid" : "From", sender),
        ]
        let body = form.map { "\($0)=\(ServiceURL.escaped($1))" }.joined(separator: "&")
        return Clients.HTTPRequest(
            .post, url, headers: headers + [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8), timeout: MessageSender.patience,
            maximumBytes: MessageSender.maximumBytes)
    }

    /// The messages to a number, the newest first. Not by `DateSent`: what is
    /// queued has none yet.
    func listing(to recipient: String) -> Clients.HTTPRequest {
        Clients.HTTPRequest(
            .get, "\(url)?To=\(ServiceURL.escaped(recipient))&PageSize=\(Self.pageSize)", headers: headers,
            timeout: MessageSender.patience, maximumBytes: MessageSender.maximumBytes)
    }

    /// Why a message that Twilio has will not arrive; nil unless it says so.
    static func failure(_ message: JSONValue) -> String? {
        guard let status = message["status"]?.stringValue,
            ["failed", "undelivered", "canceled"].contains(status)
        else { return nil }
        let code = message["error_code"]?.intValue.map { " \($0)" } ?? ""
        return "twilio: \(status)\(code)"
    }

    private var headers: [(String, String)] {
        [("Authorization", authorization), ("Accept", "application/json"), MessageSender.userAgent]
    }
}
