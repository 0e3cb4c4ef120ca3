import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization

/// Stripe at the other end of an HTTPS connection: the sandbox behind the wire's own rules, with
/// the troubles that a test gives it.
final class WireStripe: Sendable {
    /// What happens to a call instead of its answer.
    enum Trouble: Sendable {
        case answer(Int, String, [(name: String, value: String)] = [])
        /// It never arrives.
        case lost
        /// It arrives and takes effect, and its answer does not come back.
        case deaf
    }

    private struct State {
        var requests: [Clients.HTTPRequest] = []
        var troubles: [Trouble?] = []
        var sandbox: StripeSandbox?
    }

    static let apiKey = "sk_test_wire"
    private let state = Mutex(State())

    var requests: [Clients.HTTPRequest] { state.withLock(\.requests) }

    /// `METHOD path` of every call, in order.
    var calls: [String] {
        requests.map { "\($0.method.rawValue) " + $0.url.dropFirst(Self.base.count).prefix { $0 != "?" } }
    }

    static let base = "https://api.stripe.com/v1/"

    /// The troubles of the next calls, in order; nil is none.
    func trouble(_ troubles: Trouble?...) { state.withLock { $0.troubles = troubles } }

    func use(_ sandbox: StripeSandbox) { state.withLock { $0.sandbox = sandbox } }

    var clients: Clients {
        Clients(send: { request in
            let (trouble, sandbox) = self.state.withLock { state -> (Trouble?, StripeSandbox?) in
                state.requests.append(request)
                return (state.troubles.isEmpty ? nil : state.troubles.removeFirst(), state.sandbox)
            }
            switch trouble {
            case .answer(let status, let body, let headers):
                return .init(status: status, headers: headers, body: Array(body.utf8))
            case .lost: throw Clients.HTTPProblem.unreachable
            case .deaf:
                _ = try await Self.take(request, sandbox)
                throw Clients.HTTPProblem.timedOut
            case nil: return try await Self.take(request, sandbox)
            }
        })
    }

    private static func take(_ request: Clients.HTTPRequest, _ sandbox: StripeSandbox?) async throws
        -> Clients.HTTPAnswer
    {
        guard let sandbox, let call = call(request) else { return .init(status: 400, body: Array("{}".utf8)) }
        guard header("Authorization", request) == "Bearer \(apiKey)" else {
            return .init(status: 401, body: [])
        }
        let answer = try await sandbox.answer(call)
        var headers = [(name: "Request-Id", value: "req_1")]
        if let again = answer.shouldRetry { headers.append(("Stripe-Should-Retry", String(again))) }
        if answer.isReplayed { headers.append(("Idempotent-Replayed", "true")) }
        return .init(status: answer.status, headers: headers, body: answer.body.encoded())
    }

    /// The call that a request is; nil for one that Stripe would not read.
    static func call(_ request: Clients.HTTPRequest) -> StripeCall? {
        guard request.url.hasPrefix(base), header("Stripe-Version", request)?.isEmpty == false else {
            return nil
        }
        let parts = request.url.dropFirst(base.count).split(separator: "?", maxSplits: 1)
        var text = parts.count > 1 ? String(parts[1]) : ""
        if request.method == .post {
            guard header("Content-Type", request) == "application/x-www-form-urlencoded",
                header("Idempotency-Key", request) != nil
            else { return nil }
            text = String(decoding: request.body, as: UTF8.self)
        }
        let pairs = text.split(separator: "&").map { pair -> (String, String) in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(sides[0]), sides.count > 1 ? decoded(sides[1]) : "")
        }
        return StripeCall(
            StripeCall.Method(rawValue: request.method.rawValue) ?? .get, String(parts[0]), StripeForm(pairs),
            key: header("Idempotency-Key", request), account: header("Stripe-Account", request))
    }

    private static func decoded(_ text: Substring) -> String {
        var (bytes, rest) = ([UInt8](), text.utf8[...])
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0x3F)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func header(_ name: String, _ request: Clients.HTTPRequest) -> String? {
        request.headers.first { $0.0 == name }?.1
    }
}
