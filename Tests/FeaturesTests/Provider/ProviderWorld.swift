import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Testing

/// A platform whose payments go to the built-in Stripe, and a student and an instructor there.
struct ProviderWorld: Sendable {
    let platform: TestPlatform
    let provider: PaymentProvider
    let sandbox: StripeSandbox
    let customer: String
    /// An onboarded account.
    let account: String

    /// - Parameter clients: the outside world instead of our own webhook endpoint.
    static func with(
        _ dialect: Dialect, clients: Clients? = nil, _ body: (ProviderWorld) async throws -> Void
    ) async throws {
        let loop = Loopback()
        try await TestPlatform.with(dialect, clients: clients ?? loop.clients) { platform in
            loop.use(platform)
            defer { loop.use(nil) }
            let context = platform.context(.system("test"), surface: .job)
            let provider = try #require(PaymentProvider.of(context, platform.database))
            let sandbox = StripeSandbox(database: platform.database, context: context)
            let customer = try await provider.made(.createCustomer(user: Self.user), "customer-1")
            let account = try await provider.made(.createAccount(instructor: Self.instructor), "account-1")
            try await sandbox.completeOnboarding(account.id)
            try await body(
                ProviderWorld(
                    platform: platform, provider: provider, sandbox: sandbox, customer: customer.id,
                    account: account.id))
        }
    }

    static let user = ULID.first(at: TestClock.start)
    static let instructor = ULID.first(at: TestClock.start + .seconds(1))
    static let booking = ULID.first(at: TestClock.start + .seconds(2))

    /// A payment of 112 dollars of which the instructor gets 85.
    func authorization(
        _ method: String = "pm_card_visa", amount: Int = 11_200, transfer: Int = 8_500,
        isOffSession: Bool = true
    ) -> PaymentRequest {
        .authorize(
            PaymentRequest.Authorization(
                booking: Self.booking, amount: amount, customer: customer, paymentMethod: method,
                destination: account, transferAmount: transfer, isOffSession: isOffSession,
                metadata: ["base_price_cents": "10000"]))
    }

    func authorize(_ method: String = "pm_card_visa", key: String = "auth-1") async throws -> PaymentObject {
        try await provider.made(authorization(method), key)
    }

    /// A payment that was captured.
    func paid(_ method: String = "pm_card_visa", key: String = "paid-1") async throws -> PaymentObject {
        let intent = try await authorize(method, key: key)
        return try await provider.made(.capture(intent: intent.id), "capture-\(key)")
    }

    func refund(_ intent: String, _ amount: Int, reverses: Bool = true) -> PaymentRequest {
        .refund(
            PaymentRequest.Refund(
                intent: intent, amount: amount, reason: .requestedByCustomer, reversesTransfer: reverses))
    }

    func transfer(_ amount: Int) -> PaymentRequest {
        .transfer(
            PaymentRequest.Transfer(
                amount: amount, destination: account, group: "booking:\(Self.booking)",
                metadata: ["why": "split"]))
    }

    /// A call as it is on the wire, to the sandbox itself.
    func ask(_ call: StripeCall) async throws -> StripeAnswer { try await sandbox.answer(call) }

    func object(_ path: String) async throws -> JSONValue {
        try await ask(StripeCall(.get, path)).body
    }

    /// The types of every event so far, oldest first.
    func eventTypes() async throws -> [String] {
        try await platform.database.read { db in
            try db.values("SELECT event_type FROM stripe_sandbox_events ORDER BY id")
        }
    }
}

extension PaymentProvider {
    /// Sends what has to succeed.
    func made(_ request: PaymentRequest, _ key: String) async throws -> PaymentObject {
        let outcome = try await send(request, key)
        guard case .done(let object) = outcome else { throw Failure(.internal, "\(request): \(outcome)") }
        return object
    }

    /// Why it is refused; nil when it is not.
    func refusal(_ request: PaymentRequest, _ key: String) async throws -> PaymentProblem? {
        guard case .refused(let problem) = try await send(request, key) else { return nil }
        return problem
    }

    /// What is found of a call; throws unless that is certain.
    func found(_ request: PaymentRequest, _ key: String) async throws -> PaymentObject? {
        let outcome = try await find(request, key)
        guard case .done(let object) = outcome else { throw Failure(.internal, "\(request): \(outcome)") }
        return object
    }

    func now(_ kind: PaymentObject.Kind, _ id: String) async throws -> PaymentObject {
        guard case .done(let object?) = try await retrieve(kind, id) else {
            throw Failure(.internal, "there is no \(kind) \(id)")
        }
        return object
    }
}
