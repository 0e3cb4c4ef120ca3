import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct WebhookLedgerTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [ScriptedSource.feature], body)
    }

    static func status(_ platform: TestPlatform, _ id: ULID) async throws -> String? {
        try await platform.value("SELECT status FROM webhook_events WHERE id = \(id)")
    }

    @Test(arguments: TestDatabase.available)
    func aReceiptMeansThatRowAndJobAreCommittedAndUntouched(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let receipt = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            #expect(try await Self.status(platform, receipt.id) == "received")
            #expect(try await platform.count("jobs", where: "name = 'webhooks.process'") == 1)
            #expect(try await platform.count("test_effects") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeliveryThatCannotBeStoredIsNotAcknowledged(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.refuseInserts(into: "jobs")
            await #expect(throws: StorageError.self) {
                try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            }
            #expect(try await platform.count("webhook_events") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoHundredIdenticalDeliveriesAreOneRowAndOneEffect(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let event = ScriptedSource.event("e1", "write")
            let receipts = try await withThrowingTaskGroup(of: WebhookLedger.Receipt.self) { group in
                for _ in 0..<200 { group.addTask { try await platform.deliver(ScriptedSource.self, event) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(receipts.map(\.id)).count == 1)
            #expect(receipts.filter { if case .stored = $0 { true } else { false } }.count == 1)
            try await platform.finishJobs()
            #expect(try await platform.count("webhook_events") == 1)
            #expect(try await platform.value("SELECT delivery_count FROM webhook_events") == 200)
            #expect(try await platform.count("test_effects") == 1)
            #expect(try await platform.count("webhook_attempts") == 1)
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeliveryAfterProcessingChangesNothingButItsCount(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let event = ScriptedSource.event("e1", "write")
            let id = try await platform.deliver(ScriptedSource.self, event).id
            try await platform.finishJobs()
            #expect(try await platform.deliver(ScriptedSource.self, event) == .duplicate(id))
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "processed")
            #expect(try await platform.count("test_effects") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoSourcesMayUseTheSameEventID(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let first = try await platform.deliver(
                ScriptedSource.self, ScriptedSource.event("evt_1", "write"))
            let second = try await platform.deliver(
                stripe: StripeEvents.event("evt_1", "customer.created", at: 0, [:]))
            #expect(first.id != second.id)
            #expect(try await platform.count("webhook_events") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func withoutAnIDTheBytesAreTheIdentity(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let first = try await platform.deliver(ScriptedSource.self, ["type": "a", "n": 1])
            #expect(
                try await platform.deliver(ScriptedSource.self, ["type": "a", "n": 1]) == .duplicate(first.id)
            )
            let other = try await platform.deliver(ScriptedSource.self, ["type": "a", "n": 2])
            #expect(other == .stored(other.id))
        }
    }

    @Test(arguments: TestDatabase.available, ["throw", "violate"])
    func aHandlerThatWritesAndThrowsLeavesOnlyTheFailure(dialect: Dialect, action: String) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", action)).id
            try await platform.drainJobs()
            #expect(try await platform.count("test_effects") == 0)
            #expect(try await platform.count("audit_logs", where: "action = 'test.effect'") == 0)
            #expect(try await Self.status(platform, id) == "failed")
            let error: String? = try await platform.value("SELECT processing_error FROM webhook_events")
            #expect(error?.isEmpty == false)
            #expect(error?.contains("hunter2") == false)
            #expect(try await platform.count("webhook_attempts", where: "outcome = 'failed'") == 1)
            #expect(try await platform.count("jobs", where: "state = 'scheduled'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func failFailSucceedIsThreeAttemptsAndOneEffect(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.execute("INSERT INTO test_script (id, remaining) VALUES (1, 1)")
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "recover")).id
            try await platform.drainJobs()
            platform.advance(by: .seconds(60))
            try await platform.drainJobs()
            try await platform.execute("UPDATE test_script SET remaining = 0")
            platform.advance(by: .seconds(60))
            try await platform.drainJobs()
            #expect(try await Self.status(platform, id) == "processed")
            let attempts = try await platform.rows(
                "SELECT attempt, outcome, deploy_sha FROM webhook_attempts ORDER BY attempt")
            #expect(
                attempts == [
                    "attempt=1 outcome=failed deploy_sha=0123abc",
                    "attempt=2 outcome=failed deploy_sha=0123abc",
                    "attempt=3 outcome=processed deploy_sha=0123abc",
                ])
            #expect(try await platform.count("test_effects") == 1)
            #expect(try await platform.value("SELECT attempt_count FROM webhook_events") == 3)
            let error = try await platform.value(
                "SELECT processing_error FROM webhook_events", as: String?.self)
            #expect(error == .some(nil))
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLastFailureIsADeadLetter(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "throw")).id
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "dead_letter")
            #expect(
                try await platform.rows("SELECT outcome FROM webhook_attempts ORDER BY attempt")
                    == ["failed", "failed", "failed", "failed", "dead_letter"].map { "outcome=\($0)" })
            #expect(try await platform.count("jobs", where: "state = 'discarded'") == 1)
            #expect(try await platform.count("test_effects") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPermanentFailureIsNotTriedAgain(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "refuse")).id
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "dead_letter")
            #expect(try await platform.count("webhook_attempts") == 1)
            #expect(
                try await platform.value("SELECT processing_error FROM webhook_events")
                    == "The payload is useless.")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventThatMatchesNothingIsRetriedAndThenLeft(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "unmatched"))
                .id
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "unmatched")
            #expect(try await platform.count("webhook_attempts", where: "outcome = 'unmatched'") == 3)
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventOfASourceThatIsGoneIsADeadLetterThatSaysSo(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write")).id
            try await platform.execute("UPDATE webhook_events SET source = 'gone'")
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "dead_letter")
            let error: String? = try await platform.value("SELECT processing_error FROM webhook_events")
            #expect(error?.contains("gone") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRedeliveryOfADeadLetterIsProcessedAgain(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.execute("INSERT INTO test_script (id, remaining) VALUES (1, 1)")
            let event = ScriptedSource.event("e1", "recover")
            let id = try await platform.deliver(ScriptedSource.self, event).id
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "dead_letter")
            try await platform.execute("UPDATE test_script SET remaining = 0")
            #expect(try await platform.deliver(ScriptedSource.self, event) == .duplicate(id))
            try await platform.finishJobs()
            #expect(try await Self.status(platform, id) == "processed")
            #expect(try await platform.count("test_effects") == 1)
            #expect(try await platform.count("webhook_attempts") == 6)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventWhoseWorkersKeepDyingIsADeadLetter(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write")).id
            try await platform.execute(
                """
                UPDATE jobs SET state = 'running', attempt = max_attempts, worker = 'dead', lease_until = \
                \(platform.now - .seconds(1))
                """)
            try await platform.execute("UPDATE webhook_events SET status = 'processing'")
            await platform.worker.renewAndRescue()
            #expect(try await Self.status(platform, id) == "dead_letter")
            #expect(try await platform.count("test_effects") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatAWebhookChangesIsRecordedAsDoneByItsSource(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            try await platform.finishJobs()
            #expect(
                try await platform.rows(
                    "SELECT category, actor_type, actor_id FROM audit_logs WHERE action = 'test.effect'")
                    == ["category=automated actor_type=webhook actor_id=scripted"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func countsFollowEveryChangeOfState(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            func counts() async throws -> [String: Int] {
                let (from, to) = (platform.now - .seconds(86_400), platform.now + .seconds(120))
                return try await platform.database.read { db in
                    try WebhookEvent.tally.counts(
                        from: Tally.floor(from), to: Tally.floor(to), filters: [], db
                    )
                    .reduce(into: [:]) { $0[$1.dimensions[2], default: 0] += $1.count }
                }
            }
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e2", "throw"))
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e3", "unmatched"))
            #expect(try await counts() == ["received": 3])
            try await platform.drainJobs()
            #expect(try await counts() == ["processed": 1, "failed": 1, "unmatched": 1])
            try await platform.finishJobs()
            #expect(try await counts() == ["processed": 1, "dead_letter": 1, "unmatched": 1])
        }
    }

    @Test(arguments: TestDatabase.available)
    func attemptsCannotBeRewritten(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            try await platform.finishJobs()
            await #expect(throws: StorageError.appendOnly("webhook_attempts is append-only")) {
                try await platform.execute("UPDATE webhook_attempts SET outcome = 'failed'")
            }
            await #expect(throws: StorageError.appendOnly("webhook_attempts is append-only")) {
                try await platform.execute("DELETE FROM webhook_attempts")
            }
        }
    }
}
