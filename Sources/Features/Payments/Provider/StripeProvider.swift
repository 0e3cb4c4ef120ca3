import JSON
import Kernel
import Storage

/// Our port over Stripe's API, whoever answers it: Stripe by HTTPS, or the sandbox.
struct StripeProvider: Sendable {
    /// Before a call is made again (docs.stripe.com/error-low-level: repeat with the same key).
    static let pauses: [Duration] = [.milliseconds(500), .seconds(1)]
    /// When the rate is used up and Stripe does not say for how long; its limits are per second.
    static let busyPause = 5
    /// How many pages of a list are looked through for what a lost call made.
    static let maximumPages = 50

    /// Throws ``Kernel/Clients/HTTPProblem`` when no answer comes.
    let transport: @Sendable (StripeCall) async throws -> StripeAnswer
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    var port: PaymentProvider {
        PaymentProvider(
            send: { try await send($0, $1) }, find: { try await find($0, $1) },
            retrieve: { try await retrieve($0, $1) }, list: { try await list($0, $1) })
    }

    func send(_ request: PaymentRequest, _ key: String) async throws -> PaymentOutcome<PaymentObject> {
        let call = StripeRequest(request, key).call
        var answer = try await ask(call)
        // Stripe keeps a failure of its own under the key and repeats it for a day. What did not
        // happen then never happens under that key, so it is asked for under the next one.
        if case .answered(let first) = answer, first.isReplayed, first.status >= 500 {
            switch try await find(request, key) {
            case .done(.some(let object)): return .done(object)
            case .done(.none):
                var again = call
                again.key = key + ":2"
                answer = try await ask(again)
            case .refused(let problem): return .refused(problem)
            case .busy(let wait): return .busy(wait)
            case .unknown(let reason): return .unknown(reason)
            }
        }
        let outcome = Self.outcome(answer)
        switch (outcome, request) {
        case (.refused(let problem), .reverse(let transfer, _)) where problem.kind == .other:
            // There is no code for it.
            return try await isReversed(transfer)
                ? .refused(PaymentProblem(.alreadyReversed)) : .refused(problem)
        default: return outcome.map { request.object(of: $0) }
        }
    }

    /// An answer of any status, or none after every repetition.
    enum Reply: Sendable {
        case answered(StripeAnswer)
        case lost(String)
        case invalid
    }

    func ask(_ call: StripeCall) async throws -> Reply {
        for wait in Self.pauses {
            let reply = try await askOnce(call)
            guard reply.isWorthRepeating else { return reply }
            try await pause(wait)
        }
        return try await askOnce(call)
    }

    private func askOnce(_ call: StripeCall) async throws -> Reply {
        do { return .answered(try await transport(call)) } catch let problem as Clients.HTTPProblem {
            return problem == .invalidURL ? .invalid : .lost("stripe: \(problem)")
        }
    }

    static func outcome(_ reply: Reply) -> PaymentOutcome<JSONValue> {
        switch reply {
        case .invalid: .refused(PaymentProblem(.other))
        case .lost(let reason): .unknown(reason)
        case .answered(let answer):
            switch answer.status {
            case 200...299:
                answer.body["object"]?.stringValue == nil
                    ? .unknown("stripe: \(answer.status) without an object") : .done(answer.body)
            case 429: .busy(.seconds(min(max(answer.retryAfter ?? busyPause, 1), 3_600)))
            // 409 is a call with the same key that is still being worked on; 424 is a failure behind Stripe.
            case 408, 409, 424, 425, 500...: .unknown("stripe: \(answer.status)")
            default: .refused(StripeProblem(answer).problem)
            }
        }
    }

    private func isReversed(_ transfer: String) async throws -> Bool {
        guard case .done(let object?) = try await retrieve(.transfer, transfer) else { return false }
        return object.amount == object.amountReturned
    }
}

extension StripeProvider.Reply {
    /// Stripe's own word if it has one; else conflicts, its failures and what got lost. Every call
    /// of ours that changes something has a key, so none happens twice.
    var isWorthRepeating: Bool {
        switch self {
        case .invalid: false
        case .lost: true
        case .answered(let answer):
            answer.shouldRetry ?? (answer.status == 409 || (answer.status >= 500 && !answer.isReplayed))
        }
    }
}

extension PaymentOutcome {
    func map<Other>(_ body: (Value) throws -> Other) rethrows -> PaymentOutcome<Other> {
        switch self {
        case .done(let value): .done(try body(value))
        case .refused(let problem): .refused(problem)
        case .busy(let wait): .busy(wait)
        case .unknown(let reason): .unknown(reason)
        }
    }
}
