package import JSON
import Kernel

/// The parameters of a call: names as Stripe writes them, `transfer_data[amount]`, with their texts.
package struct StripeForm: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package var pairs: [Pair] = []

    package struct Pair: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    package init(_ pairs: [(String, String)]) { self.pairs = pairs.map { Pair(name: $0, value: $1) } }

    package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }

    /// The last value of that name; setting nil removes it.
    package subscript(_ name: String) -> String? {
        get { pairs.last { $0.name == name }?.value }
        set {
            pairs.removeAll { $0.name == name }
            if let newValue { pairs.append(Pair(name: name, value: newValue)) }
        }
    }

    /// The values of `name[…]` by what stands in the brackets, and those of `name[]` by position.
    package func members(of name: String) -> [(key: String, value: String)] {
        pairs.enumerated().compactMap { index, pair in
            guard pair.name.hasPrefix(name + "["), pair.name.last == "]" else { return nil }
            let key = pair.name.dropFirst(name.count + 1).dropLast()
            return (key.isEmpty ? String(index) : String(key), pair.value)
        }
    }

    package mutating func add(_ name: String, _ members: [String: String]) {
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            pairs.append(Pair(name: "\(name)[\(key)]", value: value))
        }
    }

    /// `application/x-www-form-urlencoded`; the brackets stay, as in Stripe's own libraries.
    package var encoded: String {
        pairs.map { "\(Self.name($0.name))=\(ServiceURL.escaped($0.value))" }.joined(separator: "&")
    }

    private static func name(_ name: String) -> String {
        ServiceURL.escaped(name).replacing("%5B", with: "[").replacing("%5D", with: "]")
    }
}

/// One call of Stripe's API, whoever answers it.
package struct StripeCall: Sendable, Hashable {
    package enum Method: String, Sendable, Hashable {
        case get = "GET", post = "POST", delete = "DELETE"
    }

    package var method: Method
    /// Below `/v1/`: `payment_intents/pi_1/capture`.
    package var path: String
    package var form: StripeForm
    /// `Idempotency-Key`; at most 255 characters.
    package var key: String?
    /// `Stripe-Account`: the connected account on whose behalf it is.
    package var account: String?

    package init(
        _ method: Method, _ path: String, _ form: StripeForm = [:], key: String? = nil,
        account: String? = nil
    ) {
        self.method = method
        self.path = path
        self.form = form
        self.key = key
        self.account = account
    }
}

/// What came back.
package struct StripeAnswer: Sendable, Hashable {
    package var status: Int
    package var body: JSONValue
    /// `Stripe-Should-Retry`, where it is said.
    package var shouldRetry: Bool?
    /// Seconds of `Retry-After`.
    package var retryAfter: Int?
    /// Whether it is the answer to an earlier call with the same key.
    package var isReplayed: Bool

    package init(
        _ status: Int, _ body: JSONValue, shouldRetry: Bool? = nil, retryAfter: Int? = nil,
        isReplayed: Bool = false
    ) {
        self.status = status
        self.body = body
        self.shouldRetry = shouldRetry
        self.retryAfter = retryAfter
        self.isReplayed = isReplayed
    }
}

/// Stripe's API over HTTPS (docs.stripe.com/api; integrations specification §e).
struct StripeHTTPS: Sendable {
    /// The shape of answers is that of this version, whatever the account's own is.
    static let version = "2025-12-15.clover"
    /// Two repetitions of a call fit into a job's time.
    static let patience = Duration.seconds(10)
    static let maximumBytes = 4 << 20

    let base: String
    let apiKey: String
    let clients: Clients

    /// Throws ``Kernel/Clients/HTTPProblem`` when there is no answer.
    func answer(_ call: StripeCall) async throws -> StripeAnswer {
        let answer = try await clients.send(request(call))
        return StripeAnswer(
            answer.status, (try? JSONValue(parsing: answer.body)) ?? .null,
            shouldRetry: answer.header("Stripe-Should-Retry").flatMap { Bool($0) },
            retryAfter: answer.header("Retry-After").flatMap { Int($0) },
            isReplayed: answer.header("Idempotent-Replayed") == "true")
    }

    private func request(_ call: StripeCall) -> Clients.HTTPRequest {
        var headers = [
            ("Authorization", "Bearer \(apiKey)"), ("Stripe-Version", Self.version),
            ("Accept", "application/json"), ("User-Agent", "instainstru"),
        ]
        if let key = call.key { headers.append(("Idempotency-Key", key)) }
        if let account = call.account { headers.append(("Stripe-Account", account)) }
        var (url, body) = ("\(base)/v1/\(call.path)", call.form.encoded)
        if call.method == .post {
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        } else if !body.isEmpty {
            (url, body) = ("\(url)?\(body)", "")
        }
        return Clients.HTTPRequest(
            Clients.HTTPRequest.Method(rawValue: call.method.rawValue) ?? .get, url, headers: headers,
            body: Array(body.utf8),
            timeout: Self.patience, maximumBytes: Self.maximumBytes)
    }
}
