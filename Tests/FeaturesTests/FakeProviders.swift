import Foundation
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization

/// Resend and Twilio as they answer, strict about what the real ones are strict
/// about, and with the troubles that a test gives them.
final class FakeProviders: Sendable {
    static let resendKey = "re_test_0123456789"
    static let account = "AC0123456789abcdef0123456789abcdef"
    static let token = "twilio-token-secret"
    static let service = "MG0123456789abcdef0123456789abcdef"

    /// What happens to a request instead of its answer.
    enum Trouble: Sendable {
        case answer(Int, JSONValue, [(name: String, value: String)] = [])
        /// It never arrives.
        case lost(Clients.HTTPProblem)
        /// It arrives and takes effect, and its answer does not come back.
        case deaf(Clients.HTTPProblem)
        /// The same, and the caller waits for the gate.
        case gate(String)
    }

    private struct State {
        var clock: TestClock?
        var requests: [Clients.HTTPRequest] = []
        var sends: [Trouble?] = []
        var lists: [Trouble?] = []
        var emails: [(key: String, body: [UInt8], id: String)] = []
        var texts: [JSONObject] = []
    }

    private let state = Mutex(State())

    var requests: [Clients.HTTPRequest] { state.withLock(\.requests) }
    var posts: [Clients.HTTPRequest] { requests.filter { $0.method == .post } }
    /// What people get.
    var emails: [JSONValue] {
        state.withLock(\.emails).compactMap { try? JSONValue(parsing: $0.body) }
    }
    var texts: [JSONObject] { state.withLock(\.texts) }

    /// The troubles of the next calls that send, in order; nil is none.
    func trouble(sends: [Trouble?] = [], lists: [Trouble?] = []) {
        state.withLock { ($0.sends, $0.lists) = (sends, lists) }
    }

    func use(_ clock: TestClock) { state.withLock { $0.clock = clock } }

    /// Adds a message that is not the outbox's own.
    func add(text: String, to: String, direction: String = "outbound-api") {
        state.withLock { _ = Self.store(["To": to, "Body": text, "From": "+15005550006"], direction, &$0) }
    }

    var clients: Clients {
        Clients(send: { request in
            let trouble = self.state.withLock { state -> Trouble? in
                state.requests.append(request)
                if request.method == .post { return state.sends.isEmpty ? nil : state.sends.removeFirst() }
                return state.lists.isEmpty ? nil : state.lists.removeFirst()
            }
            switch trouble {
            case .answer(let status, let body, let headers):
                return .init(status: status, headers: headers, body: body.encoded())
            case .lost(let problem): throw problem
            case .deaf(let problem):
                _ = self.take(request)
                throw problem
            case .gate(let name):
                let answer = self.take(request)
                await Gate.named(name).pass()
                return answer
            case nil: return self.take(request)
            }
        })
    }

    private func take(_ request: Clients.HTTPRequest) -> Clients.HTTPAnswer {
        state.withLock { state in
            let (status, body) =
                request.url.hasPrefix("https://api.resend.com/")
                ? Self.resend(request, &state) : Self.twilio(request, &state)
            return .init(status: status, body: body.encoded())
        }
    }

    static func header(_ name: String, _ request: Clients.HTTPRequest) -> String? {
        request.headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }

    // MARK: Resend

    private static func resend(_ request: Clients.HTTPRequest, _ state: inout State) -> (Int, JSONValue) {
        func error(_ status: Int, _ name: String) -> (Int, JSONValue) {
            (status, ["statusCode": .int(status), "name": .string(name), "message": "No, jane@example.com."])
        }
        guard request.method == .post, request.url == "https://api.resend.com/emails" else {
            return error(404, "not_found")
        }
        guard header("User-Agent", request) != nil else { return error(403, "error_1010") }
        guard let login = header("Authorization", request) else { return error(401, "missing_api_key") }
        guard login == "Bearer \(resendKey)" else { return error(403, "invalid_api_key") }
        guard header("Content-Type", request) == "application/json",
            let body = try? JSONValue(parsing: request.body),
            ["from", "subject"].allSatisfy({ body[$0]?.stringValue?.isEmpty == false }),
            let to = body["to"]?.arrayValue, (1...50).contains(to.count)
        else { return error(422, "missing_required_field") }
        guard to.allSatisfy({ $0.stringValue?.hasSuffix("@invalid") == false }) else {
            return error(422, "validation_error")
        }
        let key = header("Idempotency-Key", request) ?? ""
        guard key.utf8.count <= 256 else { return error(400, "invalid_idempotency_key") }
        if !key.isEmpty, let first = state.emails.first(where: { $0.key == key }) {
            return first.body == request.body
                ? (200, ["id": .string(first.id)]) : error(409, "invalid_idempotent_request")
        }
        let id = "49a3999c-0ce1-4ea6-ab68-\(100_000_000_000 + state.emails.count)"
        state.emails.append((key, request.body, id))
        return (200, ["id": .string(id)])
    }

    // MARK: Twilio

    private static func twilio(_ request: Clients.HTTPRequest, _ state: inout State) -> (Int, JSONValue) {
        func error(_ status: Int, _ code: Int) -> (Int, JSONValue) {
            (status, ["code": .int(code), "message": "No, +12125554567.", "status": .int(status)])
        }
        let login = "Basic " + Data("\(account):\(token)".utf8).base64EncodedString()
        guard header("Authorization", request) == login else { return error(401, 20003) }
        let halves = request.url.split(separator: "?", maxSplits: 1).map(String.init)
        guard halves.first == "https://api.twilio.com/2010-04-01/Accounts/\(account)/Messages.json" else {
            return error(404, 20404)
        }
        if request.method == .get { return (200, list(pairs(halves.dropFirst().first ?? ""), state)) }
        guard header("Content-Type", request) == "application/x-www-form-urlencoded" else {
            return error(400, 21604)
        }
        let form = pairs(String(decoding: request.body, as: UTF8.self))
        guard let to = form["To"], !to.isEmpty else { return error(400, 21604) }
        guard form["Body"]?.isEmpty == false else { return error(400, 21602) }
        guard (form["From"] == nil) != (form["MessagingServiceSid"] == nil) else { return error(400, 21603) }
        if to == "+15005550001" { return error(400, 21211) }
        if to == "+15005550004" { return error(400, 21610) }
        return (201, .object(store(form, "outbound-api", &state)))
    }

    private static func store(_ form: [String: String], _ direction: String, _ state: inout State)
        -> JSONObject
    {
        let digits = String(state.texts.count)
        let message: JSONObject = [
            "sid": .string("SM" + String(repeating: "0", count: 32 - digits.count) + digits),
            "to": .string(form["To"] ?? ""), "body": .string(form["Body"] ?? ""),
            "from": form["From"].map { .string($0) } ?? .null, "status": "queued", "num_segments": "1",
            "messaging_service_sid": form["MessagingServiceSid"].map { .string($0) } ?? .null,
            "direction": .string(direction), "date_sent": nil, "error_code": nil,
            "date_created": .string(date(state.clock?.now ?? TestClock.start)),
        ]
        state.texts.append(message)
        return message
    }

    private static func list(_ query: [String: String], _ state: State) -> JSONValue {
        let size = query["PageSize"].flatMap(Int.init) ?? 50
        let found = state.texts.reversed().filter { $0["to"]?.stringValue == query["To"] }
        return [
            "messages": .array(found.prefix(size).map { .object($0) }),
            "next_page_uri": found.count > size ? "/2010-04-01/next" : .null,
        ]
    }

    /// Pairs of a form; `+` is a space, as everywhere.
    private static func pairs(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count > 1 ? sides[1].replacing("+", with: " ") : ""
            result[String(sides[0])] = value.removingPercentEncoding
        }
        return result
    }

    /// `Thu, 24 Aug 2023 05:01:45 +0000`.
    private static func date(_ instant: Instant) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = instant.description
        let parts = text.prefix(10).split(separator: "-")
        let month = months[(Int(parts[1]) ?? 1) - 1]
        return "Mon, \(parts[2]) \(month) \(parts[0]) \(text.dropFirst(11).prefix(8)) +0000"
    }
}
