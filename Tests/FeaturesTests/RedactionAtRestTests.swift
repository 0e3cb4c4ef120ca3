import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What must not be stored is looked for in a dump of every table.
@Suite struct RedactionAtRestTests {
    /// What must not be found, each seeded below.
    static let secrets = [
        "sk_live_51SEEDEDseededSEEDEDseeded", "whsec_SEEDEDseededSEEDED01", "Zaphod", "Beeblebrox",
        "zaphod@heartofgold.example", "+15558675309", "221B Seeded Street", "078-05-1120",
        "seeded-cookie-value",
        "SeededPassw0rd", "1979-10-12", "eyJhbGciOiJIUzI1NiJ9.c2VlZGVk.c2VlZGVkc2lnbmF0dXJl",
        "tok_seededcard4242",
        "4242424242424242",
    ]

    static let person: JSONObject = [
        "name": "Zaphod Beeblebrox", "first_name": "Zaphod", "last_name": "Beeblebrox",
        "email": "zaphod@heartofgold.example", "phone": "+15558675309", "dob": "1979-10-12",
        "ssn": "078-05-1120",
        "address": [
            "line1": "221B Seeded Street", "city": "Zaphod", "country": "US", "postal_code": "Zaphod",
        ],
        "client_secret": "whsec_SEEDEDseededSEEDED01", "access_token": "seeded-cookie-value",
    ]

    /// The person at many depths, and credentials inside of plain texts.
    static func loaded(_ object: JSONObject) -> JSONObject {
        let deep: JSONValue = .array([.object(["inner": .object(["billing_details": .object(person)])])])
        let extra: JSONObject = [
            "billing_details": .object(person), "receipt_email": "zaphod@heartofgold.example", "nested": deep,
            "description":
                "key sk_live_51SEEDEDseededSEEDEDseeded and eyJhbGciOiJIUzI1NiJ9.c2VlZGVk.c2VlZGVkc2lnbmF0dXJl",
            "url": "https://user:SeededPassw0rd@example.com/?token=seeded-cookie-value",
            "payment_method_details": ["card": ["number": "4242424242424242", "last4": "4242"]],
            "metadata": ["note": "Zaphod wants a refund", "booking_id": "b1"],
        ]
        return object.merging(extra)
    }

    @Test(arguments: TestDatabase.available)
    func noSecretAndNoPersonIsFoundInAnyTable(dialect: Dialect) async throws {
        try await StripeHandlerTests.with(dialect) { platform in
            let headers: [(name: String, value: String)] = [
                ("Cookie", "session=seeded-cookie-value"),
                ("X-Api-Key", "sk_live_51SEEDEDseededSEEDEDseeded"),
                ("X-Unheard-Of", "SeededPassw0rd"), ("Content-Type", "application/json"),
            ]
            let intent = StripeEvents.event(
                "evt_1", "payment_intent.succeeded", at: 1,
                Self.loaded(["id": "pi_1", "status": "succeeded"]))
            let lost = StripeEvents.event(
                "evt_2", "charge.refunded", at: 2,
                Self.loaded(["id": "ch_1", "payment_intent": "pi_9", "amount_refunded": 1]))
            for event in [intent, lost] {
                _ = try await platform.ledger.receive(
                    StripeWebhook.self, platform.stripeRequest(event.encoded(), headers: headers),
                    platform.context(.webhook("stripe"), surface: .webhook))
            }
            let candidate = CheckrEvents.event("e1", "report.created", at: 3, Self.loaded([:]))
            let id = try await platform.deliver(checkr: candidate, deliveryID: "d1").id
            try await platform.finishJobs()
            #expect(try await platform.count("webhook_events", where: "status = 'processed'") == 2)
            _ = try await platform.callConfirmed(
                "webhook_replay",
                [
                    "event_id": .string(id.description), "dry_run": false, "force": true,
                    "reason": "with sk_live_51SEEDEDseededSEEDEDseeded",
                ])
            _ = try await platform.failure(
                "webhooks_list",
                ["password": "SeededPassw0rd", "source": "sk_live_51SEEDEDseededSEEDEDseeded"])
            try await platform.seal()
            let dump = try await platform.dump()
            for secret in Self.secrets { #expect(!dump.contains(secret), "\(secret)") }
            // What a handler needs to run again is kept.
            for kept in ["pi_1", "cand_1", "succeeded", "application/json", "\"country\":\"US\""] {
                #expect(dump.contains(kept), "\(kept)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayRunsFromTheRedactedPayload(dialect: Dialect) async throws {
        try await StripeHandlerTests.with(dialect) { platform in
            let event = StripeEvents.event(
                "evt_1", "payment_intent.succeeded", at: 1,
                Self.loaded(["id": "pi_1", "status": "succeeded"]))
            let id = try await platform.deliver(stripe: event).id
            try await platform.execute("UPDATE webhook_events SET status = 'failed'", "DELETE FROM jobs")
            let answer = try await platform.callConfirmed(
                "webhook_replay", ["event_id": .string(id.description), "dry_run": false])
            #expect(answer["result"]?["status"] == "replayed")
            #expect(try await platform.rows("SELECT status FROM payment_intents") == ["status=succeeded"])
        }
    }

    /// Codes that are no proof of who calls.
    static let openCodes: Set = ["invite_validate", "invite_consume", "referral_claim"]

    @Test func aCodeThatProvesWhoCallsIsNeverRecorded() async throws {
        try await TestPlatform.with(.sqlite) { platform in
            var checked = 0
            for operation in platform.runner.catalog.all where !Self.openCodes.contains(operation.name) {
                for name in ["code", "backup_code"]
                where operation.parameters.contains(where: { $0.name == name }) {
                    checked += 1
                    #expect(operation.secretInputs.contains(name), "\(operation.name) takes \(name)")
                }
            }
            #expect(checked >= 6)
        }
    }
}
