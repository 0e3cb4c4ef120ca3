import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Our calls as they go to Stripe over HTTPS, with whatever happens to them.
@Suite struct StripeCallTests {
    private struct World {
        let wire: WireStripe
        let platform: TestPlatform
        let provider: PaymentProvider
        let customer: String
        let account: String

        func authorization(_ method: String = "pm_card_visa") -> PaymentRequest {
            .authorize(
                .init(
                    booking: ProviderWorld.booking, amount: 11_200, customer: customer, paymentMethod: method,
                    destination: account, transferAmount: 8_500, isOffSession: true,
                    metadata: ["note": "a & b=ü"]))
        }

        func payments() async throws -> Int {
            try await platform.count("stripe_sandbox_objects", where: "kind = 'payment_intent'")
        }
    }

    private static func with(_ dialect: Dialect, _ body: (World) async throws -> Void) async throws {
        let wire = WireStripe()
        try await TestPlatform.with(
            dialect, clients: wire.clients, configure: { $0.stripeAPIKey = WireStripe.apiKey }
        ) { platform in
            let context = platform.context(.system("test"), surface: .job)
            let sandbox = StripeSandbox(database: platform.database, context: context)
            wire.use(sandbox)
            let provider = PaymentProvider.stripe(context, apiKey: WireStripe.apiKey, pause: { _ in })
            let customer = try await provider.made(.createCustomer(user: ProviderWorld.user), "c1")
            let account = try await provider.made(.createAccount(instructor: ProviderWorld.user), "a1")
            try await sandbox.completeOnboarding(account.id)
            try await body(
                World(
                    wire: wire, platform: platform, provider: provider, customer: customer.id,
                    account: account.id))
        }
    }

    @Test func aCallIsWrittenAsStripeReadsIt() async throws {
        try await Self.with(.sqlite) { world in
            _ = try await world.provider.made(world.authorization(), "auth-1")
            let request = try #require(world.wire.requests.last)
            #expect(request.url == "https://api.stripe.com/v1/payment_intents")
            #expect(WireStripe.header("Stripe-Version", request) == "2025-12-15.clover")
            #expect(WireStripe.header("Idempotency-Key", request) == "auth-1")
            #expect(WireStripe.header("Stripe-Account", request) == nil)
            let body = String(decoding: request.body, as: UTF8.self)
            #expect(
                body == """
                    amount=11200&currency=usd&customer=\(world.customer)&payment_method=pm_card_visa\
                    &capture_method=manual&confirm=true&payment_method_types[0]=card\
                    &transfer_group=booking%3A\(ProviderWorld.booking)&off_session=true\
                    &transfer_data[destination]=\(world.account)&transfer_data[amount]=8500\
                    &expand[0]=latest_charge&metadata[booking_id]=\(ProviderWorld.booking)\
                    &metadata[note]=a%20%26%20b%3D%C3%BC&metadata[operation_key]=auth-1
                    """)
            _ = try await world.provider.send(.instantPayout(account: world.account, amount: 5), "payout-1")
            let payout = try #require(world.wire.requests.last)
            #expect(WireStripe.header("Stripe-Account", payout) == world.account)
            #expect(!world.wire.requests.contains { $0.body.contains(Array("refund_application_fee".utf8)) })
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCallIsRepeatedWithItsKeyAndHappensOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { world in
            let before = world.wire.calls.count
            world.wire.trouble(.deaf, .lost)
            let held = try await world.provider.made(world.authorization(), "auth-1")
            #expect(held.status == "requires_capture")
            #expect(world.wire.calls.count == before + 3)
            #expect(try await world.payments() == 1)
        }
    }

    @Test func whatNeverAnswersIsUnknownAndThenFound() async throws {
        try await Self.with(.sqlite) { world in
            world.wire.trouble(.deaf, .deaf, .deaf)
            guard case .unknown = try await world.provider.send(world.authorization(), "auth-1") else {
                throw Failure(.internal, "it is unknown")
            }
            #expect(try await world.provider.found(world.authorization(), "auth-1")?.amount == 11_200)
            world.wire.trouble(.lost, .lost, .lost)
            guard case .unknown = try await world.provider.send(world.authorization(), "auth-2") else {
                throw Failure(.internal, "it is unknown")
            }
            #expect(try await world.provider.found(world.authorization(), "auth-2") == nil)
            world.wire.trouble(.lost, .lost, .lost)
            guard case .unknown = try await world.provider.find(world.authorization(), "auth-1") else {
                throw Failure(.internal, "nothing is certain while nothing answers")
            }
        }
    }

    @Test(
        arguments: [
            (409, nil, 3), (500, nil, 3), (503, nil, 3), (500, "false", 1), (400, nil, 1), (400, "true", 3),
            (402, nil, 1), (429, nil, 1), (429, "true", 3), (424, nil, 1),
        ] as [(Int, String?, Int)])
    func aCallIsRepeatedWhenStripeWantsItOrMayHaveFailed(status: Int, header: String?, calls: Int)
        async throws
    {
        try await Self.with(.sqlite) { world in
            let headers = header.map { [(name: "Stripe-Should-Retry", value: $0)] } ?? []
            let before = world.wire.calls.count
            let trouble = WireStripe.Trouble.answer(status, #"{"error":{"type":"api_error"}}"#, headers)
            world.wire.trouble(trouble, trouble, trouble, trouble)
            _ = try await world.provider.send(.capture(intent: "pi_1"), "capture-1")
            #expect(world.wire.calls.count - before == calls)
        }
    }

    @Test func aFailureThatStripeKeepsUnderTheKeyIsAskedForUnderTheNextOne() async throws {
        try await Self.with(.sqlite) { world in
            let kept = WireStripe.Trouble.answer(
                500, #"{"error":{"type":"api_error"}}"#, [(name: "Idempotent-Replayed", value: "true")])
            world.wire.trouble(kept)
            #expect(try await world.provider.made(world.authorization(), "auth-1").amount == 11_200)
            let last = try #require(world.wire.requests.last)
            #expect(WireStripe.header("Idempotency-Key", last) == "auth-1:2")
            // And not at all when it turns out to have happened.
            world.wire.trouble(kept)
            #expect(try await world.provider.made(world.authorization(), "auth-1").amount == 11_200)
            #expect(try await world.payments() == 1)
        }
    }

    static let errors: [(Int, String, PaymentProblem.Kind)] = [
        (401, #"{"type":"invalid_request_error"}"#, .credentials),
        (403, #"{"type":"invalid_request_error","code":"account_invalid"}"#, .accountNotReady),
        (403, #"{"type":"invalid_request_error"}"#, .credentials),
        (404, #"{"type":"invalid_request_error","code":"resource_missing"}"#, .notFound),
        (404, "{}", .notFound),
        (400, #"{"type":"invalid_request_error","code":"resource_missing"}"#, .notFound),
        (400, #"{"type":"idempotency_error"}"#, .keyReused),
        (400, #"{"code":"charge_already_captured"}"#, .alreadyCaptured),
        (400, #"{"code":"charge_expired_for_capture"}"#, .canceled),
        (
            400, #"{"code":"payment_intent_unexpected_state","payment_intent":{"status":"succeeded"}}"#,
            .alreadyCaptured
        ),
        (
            400, #"{"code":"payment_intent_unexpected_state","payment_intent":{"status":"canceled"}}"#,
            .canceled
        ),
        (
            400, #"{"code":"payment_intent_unexpected_state","payment_intent":{"status":"processing"}}"#,
            .other
        ),
        (400, #"{"code":"charge_already_refunded"}"#, .alreadyRefunded),
        (400, #"{"code":"balance_insufficient"}"#, .insufficientBalance),
        (400, #"{"code":"insufficient_capabilities_for_transfer"}"#, .accountNotReady),
        (400, #"{"code":"payouts_not_allowed"}"#, .accountNotReady),
        (402, #"{"type":"card_error","code":"card_declined","decline_code":"do_not_honor"}"#, .cardDeclined),
        (
            402, #"{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}"#,
            .insufficientFunds
        ),
        (402, #"{"type":"card_error","code":"expired_card"}"#, .expiredCard),
        (402, #"{"type":"card_error","code":"authentication_required"}"#, .authenticationRequired),
        (402, #"{"type":"card_error","code":"incorrect_cvc"}"#, .cardDeclined),
        (400, #"{"code":"something_new"}"#, .other), (400, "[]", .other),
    ]

    @Test(arguments: errors.indices) func anErrorHasItsKind(index: Int) async throws {
        let (status, text, expected) = Self.errors[index]
        try await Self.with(.sqlite) { world in
            world.wire.trouble(.answer(status, #"{"error":\#(text)}"#))
            let problem = try await world.provider.refusal(.capture(intent: "pi_1"), "capture-1")
            #expect(problem?.kind == expected)
        }
    }

    @Test func aReasonOfTheBankIsAWordOrNothing() async throws {
        try await Self.with(.sqlite) { world in
            for (code, expected) in [("do_not_honor", "do_not_honor"), ("Call <b>us</b>", nil), ("", nil)] {
                let error = #"{"type":"card_error","code":"card_declined","decline_code":"\#(code)"}"#
                world.wire.trouble(.answer(402, #"{"error":\#(error)}"#))
                let problem = try await world.provider.refusal(.capture(intent: "pi_1"), "capture-1")
                #expect(problem == PaymentProblem(.cardDeclined, declineCode: expected))
            }
        }
    }

    @Test func aUsedUpRateIsWaitedFor() async throws {
        try await Self.with(.sqlite) { world in
            for (header, seconds) in [("7", 7), ("0", 1), ("x", 5), ("99999", 3_600)] {
                world.wire.trouble(.answer(429, "{}", [(name: "Retry-After", value: header)]))
                guard case .busy(let wait) = try await world.provider.send(.capture(intent: "pi_1"), "k")
                else {
                    throw Failure(.internal, "it is busy")
                }
                #expect(wait == .seconds(seconds))
            }
        }
    }

    @Test func anAnswerThatIsNoObjectIsUnknown() async throws {
        try await Self.with(.sqlite) { world in
            for body in ["", "<html>", "[]", "{}"] {
                world.wire.trouble(.answer(200, body))
                guard case .unknown = try await world.provider.send(.capture(intent: "pi_1"), "k") else {
                    throw Failure(.internal, "it is unknown")
                }
            }
        }
    }

    @Test func anIDIsOnePartOfAPath() async throws {
        try await Self.with(.sqlite) { world in
            _ = try await world.provider.send(.capture(intent: "../refunds?x"), "k")
            #expect(
                world.wire.requests.last?.url
                    == "https://api.stripe.com/v1/payment_intents/..%2Frefunds%3Fx/capture")
        }
    }
}
