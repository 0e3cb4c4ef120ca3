import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization
import TestSupport
import Testing

/// What the built-in Stripe tells, and how it arrives.
@Suite struct SandboxEventTests {
    @Test(arguments: TestDatabase.available)
    func everyStepIsToldInItsOrder(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            _ = try await world.provider.made(world.refund(paid.id, 5_600), "refund-1")
            #expect(
                try await world.eventTypes() == [
                    "customer.created", "account.updated", "payment_intent.created",
                    "payment_intent.amount_capturable_updated", "charge.succeeded", "transfer.created",
                    "charge.captured", "payment_intent.succeeded", "transfer.reversed", "charge.refunded",
                ])
            guard case .done(let list) = try await world.provider.list(.event, PaymentPage(limit: 2)) else {
                throw Failure(.internal, "no list")
            }
            #expect(list.objects.map(\.eventType) == ["charge.refunded", "transfer.reversed"])
            #expect(list.hasMore)
            let body = list.objects.first?.body
            #expect(body?["data"]?["object"]?["amount_refunded"] == 5_600)
            #expect(body?["data"]?["object"]?["payment_intent"]?.stringValue == paid.id)
            #expect(body?["created"]?.intValue == Int(TestClock.start.microseconds / 1_000_000))
            #expect(body?["request"]?["idempotency_key"] == "refund-1")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theyArriveSignedAtOurOwnEndpoint(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            try await world.platform.givenInstructors()
            try await world.sandbox.addAccount("acct_1")
            _ = try await world.provider.made(
                .transfer(.init(amount: 700, destination: "acct_1", group: nil)), "t1")
            _ = try await world.provider.made(.instantPayout(account: "acct_1", amount: 700), "payout-1")
            try await world.platform.finishJobs()
            #expect(
                try await world.platform.count("stripe_sandbox_events", where: "delivered_at IS NULL") == 0)
            let rows = try await world.platform.rows(
                "SELECT status, amount_cents FROM instructor_payout_events ORDER BY id")
            #expect(rows == ["status=pending amount_cents=700", "status=paid amount_cents=700"])
            let types = try await world.eventTypes()
            #expect(try await world.platform.count("webhook_events") == types.count)
        }
    }

    /// An endpoint that answers as it is told to, and remembers what it got.
    private final class Endpoint: Sendable {
        let state = Mutex<(statuses: [Int], bodies: [String], signatures: [String])>(([], [], []))
        var clients: Clients {
            Clients(send: { request in
                self.state.withLock { state in
                    state.bodies.append(String(decoding: request.body, as: UTF8.self))
                    state.signatures += request.headers.filter { $0.0 == "Stripe-Signature" }.map(\.1)
                    let status = state.statuses.isEmpty ? 200 : state.statuses.removeFirst()
                    return .init(status: status, body: [])
                }
            })
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsNotAcceptedIsSentAgain(dialect: Dialect) async throws {
        let endpoint = Endpoint()
        try await ProviderWorld.with(dialect, clients: endpoint.clients) { world in
            endpoint.state.withLock { $0.statuses = [500, 503] }
            _ = try await world.authorize()
            try await world.platform.finishJobs()
            let (bodies, signatures) = endpoint.state.withLock { ($0.bodies, $0.signatures) }
            let types = try await world.eventTypes()
            #expect(bodies.count >= types.count + 2 && signatures.count == bodies.count)
            #expect(Set(bodies).count == types.count)
            for (body, signature) in zip(bodies, signatures) {
                #expect(throws: Never.self) {
                    try StripeSignature.verify(
                        header: signature, body: Array(body.utf8), secrets: [TestPlatform.stripeSecret],
                        nowMilliseconds: world.platform.now.microseconds / 1_000,
                        tolerance: .seconds(86_400))
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func withoutASecretOfOursItSignsWithItsOwn(dialect: Dialect) async throws {
        let loop = Loopback()
        try await TestPlatform.with(
            dialect, clients: loop.clients, configure: { $0.stripeWebhookSecret = nil }
        ) {
            platform in
            loop.use(platform)
            defer { loop.use(nil) }
            let context = platform.context(.system("test"), surface: .job)
            let provider = try #require(PaymentProvider.of(context, platform.database))
            _ = try await provider.made(.createCustomer(user: ProviderWorld.user), "c1")
            try await platform.finishJobs()
            #expect(try await platform.count("webhook_events") == 1)
        }
    }

    @Test func neitherStandsInForStripeInProduction() async throws {
        try await TestPlatform.with(.sqlite, configure: { $0.environmentName = "production" }) { platform in
            #expect(PaymentProvider.of(platform.context(), platform.database) == nil)
        }
    }
}
