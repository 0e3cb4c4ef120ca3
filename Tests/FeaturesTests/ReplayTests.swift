import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct ReplayTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [ScriptedSource.feature], body)
    }

    /// Delivers a scripted event and runs its first attempt.
    static func given(_ platform: TestPlatform, _ action: String, id: String = "e1") async throws -> JSONValue
    {
        try await platform.execute(
            "INSERT INTO test_script (id, remaining) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET remaining = 1"
        )
        let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event(id, action)).id
        try await platform.drainJobs()
        return .string(id.description)
    }

    static func repair(_ platform: TestPlatform) async throws {
        try await platform.execute("UPDATE test_script SET remaining = 0")
    }

    static func failedIDs(_ platform: TestPlatform) async throws -> [JSONValue] {
        try await platform.call("webhooks_failed")["events"]?.arrayValue?.compactMap { $0["id"] } ?? []
    }

    @Test(arguments: TestDatabase.available)
    func aDryRunShowsTheOutcomeAndChangesNothing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            let before = try await platform.tableHash()
            let failing = try await platform.call("webhook_replay", ["event_id": id])
            #expect(failing["note"] == "dry_run_only")
            #expect(failing["meta"]?["dry_run"] == true)
            #expect(failing["result"] == .null)
            #expect(failing["event"]?["id"] == id)
            #expect(failing["expected"]?["status"] == "failed")
            // What the handler announced before it failed is not among the effects.
            #expect(failing["effects"]?.arrayValue?.contains { $0["action"] == "test.effect" } == false)
            try await Self.repair(platform)
            let working = try await platform.call("webhook_replay", ["event_id": id])
            #expect(working["expected"]?["status"] == "replayed")
            #expect(working["effects"]?.arrayValue?.contains { $0["action"] == "test.effect" } == true)
            try await platform.execute("UPDATE test_script SET remaining = 1")
            #expect(try await platform.tableHash() == before)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayThatSucceedsResolvesTheOriginal(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            #expect(try await Self.failedIDs(platform) == [id])
            #expect(try await platform.count("jobs", where: "state = 'scheduled'") == 1)
            try await Self.repair(platform)
            let answer = try await platform.callConfirmed(
                "webhook_replay", ["event_id": id, "dry_run": false])
            #expect(answer["result"]?["status"] == "replayed")
            #expect(answer["result"]?["error"] == .null)
            #expect(answer["event"] == .null)
            #expect(answer["note"] == .null)
            #expect(try await Self.failedIDs(platform) == [])
            #expect(try await platform.count("jobs") == 0)
            #expect(try await platform.count("test_effects") == 1)
            let replay = try #require(answer["result"]?["replay_event_id"])
            let detail = try await platform.call("webhook_detail", ["event_id": replay])
            #expect(detail["event"]?["status"] == "replayed")
            #expect(detail["event"]?["replay_of"] == id)
            #expect(detail["event"]?["event_id"] == .null)
            #expect(detail["event"]?["idempotency_key"] == .string("replay_\(id.stringValue ?? "")_1"))
            #expect(detail["event"]?["attempts"]?.arrayValue?.count == 1)
            let original = try await platform.call("webhook_detail", ["event_id": id])
            #expect(original["event"]?["status"] == "failed")
            #expect(original["event"]?["replay_count"] == 1)
            #expect(original["event"]?["replays"] == [replay])
            // Nothing tries the original again.
            try await platform.finishJobs()
            #expect(try await platform.count("test_effects") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayThatFailsLeavesTheOriginalToBeLookedAt(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            let answer = try await platform.callConfirmed(
                "webhook_replay", ["event_id": id, "dry_run": false])
            #expect(answer["result"]?["status"] == "failed")
            #expect(answer["result"]?["error"]?.stringValue?.isEmpty == false)
            #expect(answer["result"]?["error"]?.stringValue?.contains("hunter2") == false)
            #expect(try await Self.failedIDs(platform) == [id])
            #expect(try await platform.count("jobs", where: "state = 'scheduled'") == 1)
            #expect(try await platform.count("test_effects") == 0)
            #expect(
                try await platform.count(
                    "audit_logs", where: "action = 'mcp.webhooks.replay' AND status = 'failed'")
                    == 1)
            #expect(
                try await platform.count(
                    "audit_logs", where: "action = 'webhook.replay' AND status = 'failed'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatWasProcessedIsReplayedOnlyByForceWithAReason(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "write")
            for dryRun in [true, false] {
                let refused = try await platform.failure(
                    "webhook_replay", ["event_id": id, "dry_run": .bool(dryRun)])
                #expect(refused?.reason == "webhook_already_processed")
                #expect(refused?.hint?.contains("force") == true)
            }
            let silent = try await platform.failure("webhook_replay", ["event_id": id, "force": true])
            #expect(silent?.fields.map(\.name) == ["reason"])
            #expect(try await platform.count("test_effects") == 1)
            let answer = try await platform.callConfirmed(
                "webhook_replay",
                ["event_id": id, "dry_run": false, "force": true, "reason": "the ledger was restored"])
            #expect(answer["result"]?["status"] == "replayed")
            #expect(try await platform.count("test_effects") == 2)
            let metadata: String? = try await platform.value(
                "SELECT metadata FROM audit_logs WHERE action = 'webhook.replay' AND status = 'success'")
            #expect(metadata?.contains("the ledger was restored") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aResolvedOriginalIsNotReplayedAgainByAccident(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            try await Self.repair(platform)
            _ = try await platform.callConfirmed("webhook_replay", ["event_id": id, "dry_run": false])
            let failure = try await platform.failure("webhook_replay", ["event_id": id, "dry_run": false])
            #expect(failure?.reason == "webhook_already_processed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayOfAReplayIsAReplayOfTheRoot(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            let first = try await platform.callConfirmed(
                "webhook_replay", ["event_id": id, "dry_run": false])
            let child = try #require(first["result"]?["replay_event_id"])
            try await Self.repair(platform)
            let second = try await platform.callConfirmed(
                "webhook_replay", ["event_id": child, "dry_run": false])
            let grandchild = try #require(second["result"]?["replay_event_id"])
            let detail = try await platform.call("webhook_detail", ["event_id": grandchild])
            #expect(detail["event"]?["replay_of"] == id)
            let root = try await platform.call("webhook_detail", ["event_id": id])
            #expect(root["event"]?["replay_count"] == 2)
            #expect(root["event"]?["replays"] == [child, grandchild])
            #expect(try await Self.failedIDs(platform) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventThatIsStillWaitingCannotBeReplayed(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write")).id
            let failure = try await platform.failure("webhook_replay", ["event_id": .string(id.description)])
            #expect(failure?.reason == "webhook_in_progress")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventThatIsNotThereIsNotFoundAndTheHintNamesTheTool(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            for name in ["webhook_replay", "webhook_detail"] {
                let failure = try await platform.failure(name, ["event_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
                #expect(failure?.code == .notFound)
                #expect(failure?.reason == "webhook_not_found")
                #expect(failure?.hint?.contains("webhooks_list") == true)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayOfASourceThatIsGoneFailsAndSaysSo(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            try await platform.execute("UPDATE webhook_events SET source = 'gone'")
            let answer = try await platform.callConfirmed(
                "webhook_replay", ["event_id": id, "dry_run": false])
            #expect(answer["result"]?["status"] == "failed")
            #expect(answer["result"]?["error"] == "unsupported_source:gone")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReplayCannotBeConfirmedOnceTheStateHasChanged(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            let arguments: JSONObject = ["event_id": id, "dry_run": false]
            let preview = try await platform.call("webhook_replay", arguments)
            #expect(preview["note"] == "confirmation_required")
            let token = try #require(preview["confirmation"]?["confirm_token"])
            // Somebody else replays it in between.
            _ = try await platform.callConfirmed("webhook_replay", arguments)
            let failure = try await platform.failure(
                "webhook_replay", arguments.merging(["confirm_token": token]))
            #expect(failure?.reason == "confirm_state_changed")
            #expect(try await platform.value("SELECT MAX(replay_count) FROM webhook_events") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofManyReplaysAtOnceEachIsCountedAndOneTakesEffect(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.given(platform, "recover")
            try await Self.repair(platform)
            let arguments: JSONObject = ["event_id": id, "dry_run": false]
            var tokens: [JSONValue] = []
            for _ in 0..<10 {
                let preview = try await platform.call("webhook_replay", arguments)
                tokens.append(try #require(preview["confirmation"]?["confirm_token"]))
            }
            let failures = try await withThrowingTaskGroup(of: Failure?.self) { group in
                for token in tokens {
                    group.addTask {
                        try await platform.failure(
                            "webhook_replay", arguments.merging(["confirm_token": token]))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(failures.filter { $0 == nil }.count == 1)
            #expect(failures.compactMap(\.?.code).allSatisfy { $0 == .conflict })
            #expect(try await platform.count("test_effects") == 1)
            #expect(try await platform.count("webhook_events") == 2)
        }
    }

    /// One event of every type that a handler acts on, for the rows that
    /// ``StripeHandlerTests/with(_:_:)`` prepares.
    static let handled: [(source: String, event: JSONValue)] = {
        let user: JSONValue = ["user_id": .string(TestPlatform.user)]
        let stripe: [JSONValue] = [
            StripeEvents.paymentIntent("evt_1", "amount_capturable_updated", "requires_capture", at: 1),
            StripeEvents.paymentIntent("evt_2", "succeeded", "succeeded", at: 2),
            StripeEvents.event("evt_3", "charge.succeeded", at: 3, ["id": "ch_1", "payment_intent": "pi_1"]),
            StripeEvents.refund("evt_4", total: 2_000, at: 4),
            StripeEvents.dispute("evt_5", "created", "needs_response", opened: 5, at: 5),
            StripeEvents.dispute("evt_6", "closed", "won", opened: 5, at: 6),
            StripeEvents.event(
                "evt_7", "account.updated", at: 7, account: "acct_1",
                ["id": "acct_1", "charges_enabled": true, "details_submitted": true]),
            StripeEvents.event(
                "evt_8", "account.application.deauthorized", at: 8, account: "acct_1", ["id": "ca_1"]),
            StripeEvents.payout("evt_9", "paid", account: "acct_1", at: 9),
            StripeEvents.event(
                "evt_10", "identity.verification_session.verified", at: 10, ["id": "vs_1", "metadata": user]),
        ]
        let types = [
            "invitation.created", "report.created", "report.updated", "report.suspended", "report.canceled",
            "report.disputed",
        ]
        let checkr =
            types.enumerated().map {
                CheckrEvents.event("c\($0)", $1, at: $0, ["estimated_completion_time": "2026-12-01"])
            }
            + [CheckrEvents.completed("c9", "clear", at: 9)]
        return stripe.map { ("stripe", $0) } + checkr.map { ("checkr", $0) }
    }()

    /// What a preview shows, without the ids of what it makes: those are new each time.
    private static func effects(_ answer: JSONValue) -> [JSONValue] {
        (answer["effects"]?.arrayValue ?? []).map { effect in
            [
                effect["kind"] ?? .null, effect["action"] ?? .null, effect["resource_type"] ?? .null,
                effect["changes"] ?? .null,
            ]
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDryRunOfAnyHandlerChangesNothingAndItsReplayWorks(dialect: Dialect) async throws {
        try await StripeHandlerTests.with(dialect) { platform in
            for (source, event) in Self.handled {
                let type = event["type"]?.stringValue ?? ""
                // The handler has not run: the event was stored while its worker was away.
                let id =
                    source == "stripe"
                    ? try await platform.deliver(stripe: event).id
                    : try await platform.deliver(checkr: event).id
                try await platform.execute(
                    "UPDATE webhook_events SET status = 'failed' WHERE id = \(id)", "DELETE FROM jobs")
                let before = try await platform.tableHash()
                let arguments: JSONObject = ["event_id": .string(id.description)]
                let dry = try await platform.call("webhook_replay", arguments)
                #expect(dry["expected"]?["status"] == "replayed", "\(type)")
                let preview = try await platform.call("webhook_replay", arguments.merging(["dry_run": false]))
                #expect(Self.effects(preview) == Self.effects(dry), "\(type)")
                #expect(!Self.effects(dry).isEmpty, "\(type)")
                #expect(try await platform.tableHash() == before, "\(type)")
                let domain = TestPlatform.recordTables.union(["webhook_events", "webhook_attempts", "jobs"])
                let unchanged = try await platform.tableHash(without: domain)
                let real = try await platform.callConfirmed(
                    "webhook_replay", arguments.merging(["dry_run": false]))
                #expect(real["result"]?["status"] == "replayed", "\(type)")
                if type != "charge.succeeded" {
                    #expect(try await platform.tableHash(without: domain) != unchanged, "\(type)")
                }
            }
        }
    }
}
