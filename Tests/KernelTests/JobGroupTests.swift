import Dispatch
import JSON
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Jobs that share a transaction, and commits that do not wait.
@Suite(.timeLimit(.minutes(20))) struct JobGroupTests {
    private static func deliver(_ platform: TestPlatform, _ actions: String...) async throws -> [ULID] {
        var ids: [ULID] = []
        for (index, action) in actions.enumerated() {
            ids.append(
                try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e\(index)", action)).id)
        }
        return ids
    }

    private static func effects(_ platform: TestPlatform) async throws -> [String] {
        try await platform.rows("SELECT event FROM test_effects ORDER BY event")
    }

    @Test(arguments: TestDatabase.available)
    func eventsThatAreClaimedTogetherShareATransaction(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            let ids = try await Self.deliver(
                platform, "write", "throw", "write", "refuse", "unmatched", "violate", "write")
            let before = platform.database.statistics.writes
            #expect(try await platform.drainJobs() == 7)
            // A claim, the group, and the claim that finds nothing.
            #expect(platform.database.statistics.writes - before == 3)
            var states: [String?] = []
            for id in ids { states.append(try await WebhookLedgerTests.status(platform, id)) }
            #expect(
                states == [
                    "processed", "failed", "processed", "dead_letter", "unmatched", "failed", "processed",
                ])
            #expect(try await Self.effects(platform) == ["event=e0", "event=e2", "event=e4", "event=e6"])
            #expect(try await platform.count("webhook_attempts", where: "attempt = 1") == 7)
            #expect(
                try await platform.rows("SELECT state, COUNT(*) AS n FROM jobs GROUP BY state ORDER BY state")
                    == ["state=discarded n=1", "state=scheduled n=3"])
            // Each entry names the request that brought its event.
            #expect(
                try await platform.value(
                    """
                    SELECT COUNT(*) FROM audit_logs JOIN webhook_events ON resource_id = event_id \
                    AND audit_logs.request_id = webhook_events.request_id WHERE action = 'test.effect'
                    """) == 4)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneThatLostItsLeaseDoesNotHoldUpItsGroup(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            let ids = try await Self.deliver(platform, "write", "steal", "write")
            #expect(try await platform.drainJobs() == 3)
            #expect(try await Self.effects(platform) == ["event=e0", "event=e2"])
            #expect(try await WebhookLedgerTests.status(platform, ids[0]) == "processed")
            #expect(try await WebhookLedgerTests.status(platform, ids[1]) == "processing")
            #expect(try await platform.count("webhook_attempts") == 2)
            #expect(try await platform.count("jobs", where: "state = 'running' AND worker <> 'thief'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aGroupKeepsNothingWhenOneOfItIsAnothersByNow(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            _ = try await Self.deliver(platform, "write", "write", "write")
            let records = try await JobQueueTests.claim(platform, 3, by: "slow")
            // The same worker took it again, so only the attempt tells them apart.
            try await platform.execute("UPDATE jobs SET attempt = 2 WHERE id = \(records[1].id)")
            let together = try #require(platform.registry[ProcessWebhook.name]?.together)
            let claimed = records.map { ($0, platform.context(.system("slow"))) }
            await #expect(throws: LeaseLost.self) { try await together(claimed, platform.database) }
            #expect(try await Self.effects(platform) == [])
            #expect(try await platform.count("webhook_attempts") == 0)
            #expect(try await platform.count("jobs") == 3)
        }
    }

    @Test(arguments: TestDatabase.available.filter { $0 == .postgres })
    func oneThatWaitsForALockDoesNotHoldUpItsGroup(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            try await platform.execute("INSERT INTO test_script (id, remaining) VALUES (1, 1)")
            let ids = try await Self.deliver(platform, "write", "lock", "write")
            let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
            let gate = DispatchSemaphore(value: 0)
            async let holder: Void = platform.database.write { tx in
                try tx.run("UPDATE test_script SET remaining = 2 WHERE id = 1")
                arrival.yield()
                gate.wait()
                gate.signal()
            }
            for await _ in arrivals { break }
            async let drained = platform.drainJobs()
            while try await platform.count("webhook_events", where: "status = 'processed'") < 2 {
                await Task.yield()
            }
            #expect(try await WebhookLedgerTests.status(platform, ids[1]) == "processing")
            gate.signal()
            try await holder
            #expect(try await drained == 3)
            #expect(try await WebhookLedgerTests.status(platform, ids[1]) == "processed")
            #expect(try await Self.effects(platform) == ["event=e0", "event=e1", "event=e2"])
            #expect(try await platform.count("webhook_attempts", where: "outcome = 'processed'") == 3)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyWhatIsDoneAgainIsCommittedWithoutWaiting(dialect: Dialect) async throws {
        let light = dialect == .postgres ? "deferred" : "waits"
        try await JobQueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Tell())
            try await platform.drainJobs()
            #expect(try await JobQueueTests.runs(platform) == ["claim waits", "outcome waits"])
            try await platform.execute("DELETE FROM job_runs")
            try await JobQueueTests.enqueue(platform, TestJobs.TellLight())
            try await platform.drainJobs()
            #expect(
                try await JobQueueTests.runs(platform) == ["light claim \(light)", "light outcome \(light)"])
            // A claim waits when any of its jobs may call the outside.
            try await platform.execute("DELETE FROM job_runs")
            try await JobQueueTests.enqueue(platform, TestJobs.TellLight(), TestJobs.Tell())
            try await platform.drainJobs()
            #expect(
                Set(try await JobQueueTests.runs(platform)) == [
                    "claim waits", "light claim waits", "outcome waits", "light outcome \(light)",
                ])
        }
    }

    @Test(arguments: TestDatabase.available, [1, 2])
    func theOutcomeOfAWebhookIsCommittedWithoutWaiting(dialect: Dialect, count: Int) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            for index in 0..<count {
                try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e\(index)", "tell"))
            }
            try await platform.drainJobs()
            let effect = dialect == .postgres ? "event=deferred" : "event=waits"
            #expect(try await Self.effects(platform) == Array(repeating: effect, count: count))
        }
    }
}
