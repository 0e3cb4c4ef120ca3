import JSON
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Deliveries that arrive together.
@Suite(.timeLimit(.minutes(20))) struct ReceiptBatchTests {
    /// Delivers all of them at once; nil for one that was not accepted.
    private static func deliver(_ platform: TestPlatform, _ events: [JSONValue]) async
        -> [WebhookLedger.Receipt?]
    {
        await withTaskGroup(of: (Int, WebhookLedger.Receipt?).self) { group in
            for (index, event) in events.enumerated() {
                group.addTask { (index, try? await platform.deliver(ScriptedSource.self, event)) }
            }
            var receipts = events.map { _ in WebhookLedger.Receipt?.none }
            for await (index, receipt) in group { receipts[index] = receipt }
            return receipts
        }
    }

    @Test(arguments: TestDatabase.available)
    func deliveriesThatWaitTogetherShareTransactions(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            let before = platform.database.statistics.writes
            let receipts = await Self.deliver(
                platform, (0..<300).map { ScriptedSource.event("e\($0)", "write", type: "type.\($0 % 3)") })
            let writes = platform.database.statistics.writes - before
            #expect(writes < 150, "\(writes) transactions for 300 deliveries")
            for (index, receipt) in receipts.enumerated() {
                let id = try #require(receipt?.id)
                #expect(receipt == .stored(id))
                let event = try await platform.value(
                    "SELECT event_id FROM webhook_events WHERE id = \(id)", as: String.self)
                #expect(event == "e\(index)")
            }
            #expect(try await platform.count("jobs", where: "name = 'webhooks.process'") == 300)
            let counts = try await platform.rows(
                """
                SELECT d2, d3, CAST(SUM(delta) AS BIGINT) AS n FROM tally_deltas GROUP BY d2, d3 ORDER BY d2
                """)
            #expect(counts == (0..<3).map { "d2=type.\($0) d3=received n=100" })
            try await platform.finishJobs()
            #expect(try await platform.count("test_effects") == 300)
        }
    }

    @Test(arguments: TestDatabase.available)
    func duplicatesAmongThemAreOneEvent(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            let events = (0..<200).map { ScriptedSource.event("e\($0 % 20)", "write") }
            let receipts = await Self.deliver(platform, events)
            for index in 0..<20 {
                let same = stride(from: index, to: 200, by: 20).map { receipts[$0] }
                #expect(Set(same.map { $0?.id }).count == 1)
                #expect(same.filter { if case .stored? = $0 { true } else { false } }.count == 1)
                #expect(same.filter { if case .duplicate? = $0 { true } else { false } }.count == 9)
            }
            try await platform.finishJobs()
            #expect(try await platform.count("webhook_events", where: "delivery_count = 10") == 20)
            #expect(try await platform.count("test_effects") == 20)
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneThatCannotBeStoredDoesNotTakeTheOthersAlong(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            var events = (0..<120).map { ScriptedSource.event("e\($0)", "write") }
            // No database takes U+0000 in a text.
            for index in [30, 60, 90] {
                events[index] = ScriptedSource.event("e\(index)", "write", type: "a\u{0}")
            }
            let receipts = await Self.deliver(platform, events)
            for (index, receipt) in receipts.enumerated() {
                #expect((receipt == nil) == [30, 60, 90].contains(index))
            }
            let (stored, jobs) = (
                try await platform.count("webhook_events"), try await platform.count("jobs")
            )
            #expect(stored == 117)
            #expect(jobs == 117)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLostAnswerIsNoReceipt(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            platform.database.losesAnswers = true
            let events = (0..<50).map { ScriptedSource.event("e\($0)", "write") }
            let lost = await Self.deliver(platform, events)
            #expect(lost.allSatisfy { $0 == nil })
            platform.database.losesAnswers = false
            // They are sent again, and are the same events.
            let again = await Self.deliver(platform, events)
            #expect(again.allSatisfy { if case .duplicate? = $0 { true } else { false } })
            try await platform.finishJobs()
            #expect(try await platform.count("test_effects") == 50)
        }
    }
}
