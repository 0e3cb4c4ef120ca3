import PlatformSupport
import ServiceLifecycle
import ServiceLifecycleTestKit
import Storage
import TestSupport
import Testing

@testable import Kernel

/// How attempts end, and what is left of it.
@Suite(.timeLimit(.minutes(20))) struct JobOutcomeTests {
    static func history(_ platform: TestPlatform) async throws -> [String] {
        try await platform.rows(
            "SELECT attempt, outcome, error_type FROM task_executions ORDER BY attempt, finished_at, id")
    }

    /// Asks a job to stop, as `job_discard` does.
    static func requestStop(_ platform: TestPlatform, telling: Bool = true) async throws {
        let now = platform.now
        try await platform.database.write { tx in
            let ids: [ULID] = try tx.values("SELECT id FROM jobs WHERE state = 'running'")
            try tx.run("UPDATE jobs SET cancel_requested_at = \(now) WHERE state = 'running'")
            if telling { for id in ids { try tx.notify(JobQueue.channel, id.description) } }
        }
    }

    @Test(arguments: TestDatabase.available)
    func explicitWaitsAreKeptOneByOne(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Patient())
            for wait in [1, 20, 300] {
                #expect(try await platform.drainJobs() == 1)
                let due = try await platform.value("SELECT run_at FROM jobs", as: Instant.self)
                #expect(due == platform.now + .seconds(wait))
                platform.clock.set((due ?? platform.now) - .microseconds(1))
                #expect(try await platform.drainJobs() == 0)
                platform.advance(by: .microseconds(1))
            }
            #expect(try await platform.drainJobs() == 1)
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=discarded attempt=4"])
            #expect(try await JobQueueTests.runs(platform) == ["discarded: not yet"])
            let again = (1...3).map { "attempt=\($0) outcome=retryable error_type=JobFailed" }
            #expect(
                try await Self.history(platform) == again + [
                    "attempt=4 outcome=discarded error_type=JobFailed"
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTimeoutIsAnAttemptThatFailed(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Hang())
            #expect(try await platform.drainJobs() == 1)
            #expect(
                try await Self.history(platform) == ["attempt=1 outcome=retryable error_type=job_timeout"])
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func aRunningJobStopsWhenItIsAsked(dialect: Dialect, telling: Bool) async throws {
        try await QueueTests.with(dialect) { platform in
            let gate = "stop \(dialect) \(telling)"
            await Gate.named(gate).open()
            try await JobQueueTests.enqueue(platform, TestJobs.Sleeper(gate))
            let worker = WorkerTests.worker(platform)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                await Gate.named(gate).arrived()
                try await Self.requestStop(platform, telling: telling)
                // Without the notice it is seen when the lease is renewed.
                if !telling { await worker.renewAndRescue() }
                while try await platform.count("jobs") > 0 { await Task.yield() }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(
                try await platform.rows(
                    "SELECT attempt, outcome, error_type, error_message FROM task_executions")
                    == [
                        "attempt=1 outcome=cancelled error_type=Cancelled error_message=\(JobAttempt.stopReason)"
                    ])
            #expect(try await JobQueueTests.runs(platform) == ["discarded: \(JobAttempt.stopReason)"])
        }
    }

    @Test(arguments: TestDatabase.available, ["retry", "throw", "throw inside", "snooze"])
    func aJobThatIsToStopDoesNotRunAgainHoweverItEnds(dialect: Dialect, how: String) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Stumble(how))
            let record = try #require(try await JobQueueTests.claim(platform, 1, by: "w").first)
            try await Self.requestStop(platform)
            await platform.worker.perform(record)
            #expect(try await platform.count("jobs") == 0)
            #expect(try await Self.history(platform) == ["attempt=1 outcome=cancelled error_type=Cancelled"])
            #expect(try await JobQueueTests.runs(platform).last == "discarded: \(JobAttempt.stopReason)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatIsToStopIsNotRunAgainWhenItsWorkerDied(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Stumble("retry"))
            #expect(try await JobQueueTests.claim(platform, 1, by: "dead").count == 1)
            try await Self.requestStop(platform)
            platform.advance(by: .seconds(16))
            await platform.worker.renewAndRescue()
            #expect(try await platform.count("jobs") == 0)
            #expect(try await Self.history(platform) == ["attempt=1 outcome=cancelled error_type=Cancelled"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRequestToStopDoesNotOutliveItsRun(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Stumble("discard"))
            let record = try #require(try await JobQueueTests.claim(platform, 1, by: "w").first)
            try await Self.requestStop(platform)
            await platform.worker.perform(record)
            // Somebody tries it again.
            try await platform.execute(
                "UPDATE jobs SET state = 'available', attempt = 0, worker = NULL, finished_at = NULL")
            #expect(try await JobQueueTests.claim(platform, 1, by: "w").count == 1)
            #expect(try await platform.count("jobs", where: "cancel_requested_at IS NOT NULL") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatKillsItsWorkerEveryTimeIsGivenUp(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Stumble("retry"))
            var claims = 0
            while try await JobQueueTests.claim(platform, 1, by: "dead \(claims)").count == 1 {
                claims += 1
                try #require(claims <= 3)
                platform.advance(by: .seconds(16))
                await platform.worker.renewAndRescue()
            }
            #expect(claims == 3)
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=discarded attempt=3"])
            #expect(
                try await platform.rows(
                    "SELECT attempt, outcome, error_type, worker FROM task_executions ORDER BY attempt")
                    == [
                        "attempt=1 outcome=retryable error_type=WorkerLost worker=dead 0",
                        "attempt=2 outcome=retryable error_type=WorkerLost worker=dead 1",
                        "attempt=3 outcome=discarded error_type=WorkerLost worker=dead 2",
                    ])
            #expect(try await JobQueueTests.runs(platform) == ["discarded: \(JobQueue.lostReason)"])
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func aLostJobThatIsOutOfAttemptsIsLeftToAProgramThatKnowsIt(dialect: Dialect, isNewer: Bool) async throws
    {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Stumble("retry"))
            if isNewer { try await platform.execute("UPDATE jobs SET payload_version = 2") }
            try await platform.execute("UPDATE jobs SET max_attempts = 1")
            #expect(try await JobQueueTests.claim(platform, 1, by: "dead").count == 1)
            platform.advance(by: .seconds(16))
            let other = isNewer ? platform.features : platform.features.filter { $0.name != "test_jobs" }
            let stranger = Worker(
                database: platform.database, registry: JobRegistry(other), environment: platform.environment)
            await stranger.renewAndRescue()
            #expect(
                try await platform.rows("SELECT state, worker FROM jobs") == ["state=running worker=dead"])
            #expect(try await Self.history(platform) == [])
            if isNewer { try await platform.execute("UPDATE jobs SET payload_version = 1") }
            await platform.worker.renewAndRescue()
            #expect(try await platform.rows("SELECT state FROM jobs") == ["state=discarded"])
            #expect(try await JobQueueTests.runs(platform) == ["discarded: \(JobQueue.lostReason)"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobIsGivenBackWhenItsWorkerIsToldToEndAtOnce(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let gate = "end \(dialect)"
            await Gate.named(gate).open()
            try await JobQueueTests.enqueue(platform, TestJobs.Sleeper(gate))
            let worker = WorkerTests.worker(platform)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                await Gate.named(gate).arrived()
                group.cancelAll()
                try await group.waitForAll()
            }
            // It had one attempt, and that was not used up.
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=scheduled attempt=0"])
            #expect(try await Self.history(platform) == ["attempt=1 outcome=snoozed error_type=NULL"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDrainThatIsCancelledGivesItsJobsBackAndEnds(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let gate = "drain \(dialect)"
            await Gate.named(gate).open()
            try await JobQueueTests.enqueue(platform, TestJobs.Sleeper(gate))
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await platform.worker.drain() }
                await Gate.named(gate).arrived()
                group.cancelAll()
            }
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=scheduled attempt=0"])
            #expect(try await Self.history(platform) == ["attempt=1 outcome=snoozed error_type=NULL"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aGroupLeavesJobsOfANewerVersionToOthers(dialect: Dialect) async throws {
        try await WebhookLedgerTests.with(dialect) { platform in
            for index in 0..<3 {
                try await platform.deliver(
                    ScriptedSource.self, ScriptedSource.event("e\(index)", "write"))
            }
            try await platform.execute(
                "UPDATE jobs SET payload_version = 2 WHERE id = (SELECT MIN(id) FROM jobs)")
            #expect(try await platform.drainJobs() == 3)
            #expect(try await platform.count("test_effects") == 2)
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=scheduled attempt=0"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerTellsOfItselfAndSignsOff(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let worker = WorkerTests.worker(platform, slots: 3)
            let gate = "row \(dialect)"
            try await JobQueueTests.enqueue(platform, TestJobs.Linger(gate), TestJobs.Write("a"))
            let row: SQL = """
                SELECT active, processed, concurrency, started_at, heartbeat_at, stopped_at FROM job_workers \
                WHERE id = \(worker.id)
                """
            let start = platform.now.microseconds
            let before = "concurrency=21 started_at=\(start) heartbeat_at"
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await worker.run() }
                    await Gate.named(gate).arrived()
                    while try await platform.count("job_runs") < 1 { await Task.yield() }
                    while worker.activeJobs > 1 { await Task.yield() }
                    platform.advance(by: .seconds(5))
                    await worker.renewAndRescue()
                    #expect(
                        try await platform.rows(row) == [
                            "active=1 processed=1 \(before)=\(start + 5_000_000) stopped_at=NULL"
                        ])
                    trigger.triggerGracefulShutdown()
                    await Gate.named(gate).open()
                    try await group.waitForAll()
                }
            }
            let end = start + 5_000_000
            #expect(
                try await platform.rows(row) == [
                    "active=0 processed=2 \(before)=\(end) stopped_at=\(end)"
                ])
        }
    }
}
