import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What the endpoints of Stripe and Checkr answer to whom (domain specification §5.1, §5.2).
@Suite struct WebhookRequestTests {
    static let event = StripeEvents.event("evt_1", "customer.created", at: 0, ["id": "cus_1"])

    /// The status and reason with which a source refuses a request; nil when it accepts.
    static func refusal(
        _ source: any WebhookSource.Type, configure: (inout Configuration) -> Void = { _ in },
        _ request: (TestPlatform) -> WebhookRequest
    ) async throws -> String? {
        var result: String?
        try await TestPlatform.with(.sqlite, configure: configure) { platform in
            do {
                _ = try source.verify(
                    request(platform), platform.context(.webhook(source.name), surface: .webhook))
            } catch let refusal as WebhookRefusal {
                result = "\(refusal.status) \(refusal.reason)"
            }
        }
        return result
    }

    @Test func aSignedStripeRequestIsADelivery() async throws {
        #expect(try await Self.refusal(StripeWebhook.self) { $0.stripeRequest(Self.event.encoded()) } == nil)
    }

    @Test func stripesGoldenVectorIsADelivery() async throws {
        let configure: (inout Configuration) -> Void = {
            $0.stripeWebhookSecret = StripeSignatureTests.secret
        }
        let header = "t=\(StripeSignatureTests.time),v1=\(StripeSignatureTests.good)"
        func request(_ body: String) -> WebhookRequest {
            WebhookRequest(headers: [("stripe-signature", header)], body: Array(body.utf8))
        }
        func answer(_ body: String) async throws -> String? {
            try await Self.refusal(StripeWebhook.self, configure: configure) { platform in
                platform.clock.set(Instant(microseconds: StripeSignatureTests.time * 1_000_000))
                return request(body)
            }
        }
        // Properly signed, but without a type: the signature is what let it so far.
        #expect(try await answer(StripeSignatureTests.body) == "400 invalid_event")
        #expect(try await answer(StripeSignatureTests.body + " ") == "400 invalid_signature")
    }

    @Test func everySecretInUseIsAccepted() async throws {
        let configure: (inout Configuration) -> Void = {
            $0.stripeWebhookSecretPlatform = "whsec_platform"
            $0.stripeWebhookSecretConnect = "whsec_connect"
        }
        for secret in [TestPlatform.stripeSecret, "whsec_platform", "whsec_connect"] {
            let refusal = try await Self.refusal(StripeWebhook.self, configure: configure) {
                $0.stripeRequest(Self.event.encoded(), secret: secret)
            }
            #expect(refusal == nil)
        }
        let other = try await Self.refusal(StripeWebhook.self, configure: configure) {
            $0.stripeRequest(Self.event.encoded(), secret: "whsec_old")
        }
        #expect(other == "400 invalid_signature")
    }

    @Test func aStripeSignatureIsForFiveMinutesAndItsVeryBytes() async throws {
        let late = try await Self.refusal(StripeWebhook.self) { platform in
            let request = platform.stripeRequest(Self.event.encoded())
            platform.advance(by: .seconds(301))
            return request
        }
        #expect(late == "400 invalid_signature")
        let intime = try await Self.refusal(StripeWebhook.self) { platform in
            let request = platform.stripeRequest(Self.event.encoded())
            platform.advance(by: .seconds(300))
            return request
        }
        #expect(intime == nil)
        let flipped = try await Self.refusal(StripeWebhook.self) { platform in
            var request = platform.stripeRequest(Self.event.encoded())
            request.body[10] ^= 1
            return request
        }
        #expect(flipped == "400 invalid_signature")
    }

    @Test func stripeWithoutASignatureOrASecretIsToldApart() async throws {
        let missing = try await Self.refusal(StripeWebhook.self) { _ in
            WebhookRequest(headers: [], body: Self.event.encoded())
        }
        #expect(missing == "400 missing_signature")
        let unset = try await Self.refusal(
            StripeWebhook.self, configure: { ($0.stripeWebhookSecret, $0.stripeAPIKey) = (nil, "sk_live_1") }
        ) { $0.stripeRequest(Self.event.encoded()) }
        #expect(unset == "500 not_configured")
    }

    @Test(arguments: [
        "[]", "{}", "{\"id\":\"evt_1\"}", "{\"id\":1,\"type\":\"a\"}", "{\"id\":\"e\",\"type\":", "",
    ])
    func signedNonsenseIsRefused(body: String) async throws {
        let refusal = try await Self.refusal(StripeWebhook.self) { $0.stripeRequest(Array(body.utf8)) }
        #expect(refusal == "400 invalid_event")
    }

    @Test func anEventIDThatCannotBeStoredIsRefused() async throws {
        let event: JSONValue = ["id": "evt\u{0}1", "type": "a"]
        let refusal = try await Self.refusal(StripeWebhook.self) { $0.stripeRequest(event.encoded()) }
        #expect(refusal == "400 invalid_event")
    }

    @Test(
        arguments: [
            ("good", nil), ("no authorization", "401 missing_credentials"),
            ("bearer", "401 missing_credentials"),
            ("wrong password", "403 wrong_credentials"), ("no signature", "401 missing_signature"),
            ("other key", "401 invalid_signature"), ("placeholder", "401 invalid_signature"),
            ("other body", "401 invalid_signature"), ("not json", "400 invalid_event"),
        ] as [(String, String?)])
    func checkrNeedsBothFactors(sent: String, answer: String?) async throws {
        let refusal = try await Self.refusal(CheckrWebhook.self) { platform in
            let body = CheckrEvents.event("e1", "report.created", at: 0).encoded()
            var request = platform.checkrRequest(sent == "not json" ? Array("{".utf8) : body)
            func set(_ name: String, _ value: String?) {
                request.headers.removeAll { $0.name == name }
                if let value { request.headers.append((name, value)) }
            }
            switch sent {
            case "no authorization": set("Authorization", nil)
            case "bearer": set("Authorization", "Bearer abc")
            case "wrong password":
                set("Authorization", BasicCredentials(user: TestPlatform.checkrUser, password: "no").header)
            case "no signature": set("X-Checkr-Signature", nil)
            case "other key": set("X-Checkr-Signature", CheckrSignature.sign(body: body, apiKey: "other"))
            case "placeholder": set("X-Checkr-Signature", "x-checkr-signature")
            case "other body": request.body.append(UInt8(ascii: " "))
            default: break
            }
            return request
        }
        #expect(refusal == answer)
    }

    @Test(arguments: [0, 1, 2]) func checkrIsNotAcceptedUntilAllOfItIsConfigured(missing: Int) async throws {
        let configure: (inout Configuration) -> Void = {
            switch missing {
            case 0: $0.checkrAPIKey = nil
            case 1: $0.checkrWebhookUser = nil
            default: $0.checkrWebhookPass = nil
            }
        }
        let refusal = try await Self.refusal(CheckrWebhook.self, configure: configure) {
            $0.checkrRequest(CheckrEvents.event("e1", "report.created", at: 0).encoded())
        }
        #expect(refusal == "500 not_configured")
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedRequestIsNotInTheLedger(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            await #expect(throws: WebhookRefusal.self) {
                try await platform.ledger.receive(
                    StripeWebhook.self, platform.stripeRequest(Self.event.encoded(), secret: "whsec_x"),
                    platform.context(.webhook("stripe"), surface: .webhook))
            }
            let stored = try await platform.count("webhook_events")
            #expect(stored == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theUnsignedDeliveryHeaderDoesNotDecideWhatIsADuplicate(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let event = CheckrEvents.event("e1", "report.created", at: 0)
            let first = try await platform.deliver(checkr: event, deliveryID: "d1")
            let again = try await platform.deliver(checkr: event, deliveryID: "d2")
            #expect(again == .duplicate(first.id))
            let other = CheckrEvents.event("e2", "report.created", at: 0)
            let second = try await platform.deliver(checkr: other, deliveryID: "d1")
            #expect(second == .stored(second.id))
        }
    }
}
