import JSON
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

@Suite struct JobQueueTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [TestJobs.feature], body)
    }

    static func enqueue(_ platform: TestPlatform, _ jobs: any Job...) async throws {
        try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
            for job in jobs { try tx.enqueue(job) }
        }
    }

    static func runs(_ platform: TestPlatform) async throws -> [String] {
        try await platform.rows("SELECT job FROM job_runs ORDER BY id").map {
            String($0.dropFirst("job=".count))
        }
    }

    static func claim(_ platform: TestPlatform, _ limit: Int, by worker: String) async throws -> [JobRecord] {
        let now = platform.now
        return try await platform.database.write { tx in
            try JobQueue.claim(
                Queue.all.map { ($0.name, limit) }, worker: worker, lease: now + .seconds(15), tx, now: now)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobExistsExactlyWhenItsTransactionCommitted(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            await #expect(throws: TestJobs.Stumble.Trouble.self) {
                try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                    try tx.enqueue(TestJobs.Write("undone"))
                    throw TestJobs.Stumble.Trouble()
                }
            }
            try await platform.database.transaction(platform.context(), category: .admin, keeping: false) {
                tx, _ in
                _ = try tx.enqueue(TestJobs.Write("rehearsed"))
            }
            #expect(try await platform.count("jobs") == 0)
            try await Self.enqueue(platform, TestJobs.Write("kept"))
            #expect(try await platform.count("jobs") == 1)
            #expect(try await platform.drainJobs() == 1)
            #expect(try await Self.runs(platform) == ["kept"])
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func sixteenClaimersNeverShareAJob(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                for index in 0..<400 { try tx.enqueue(TestJobs.Write("\(index)")) }
            }
            let claimed = try await withThrowingTaskGroup(of: [[ULID]].self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        var mine: [[ULID]] = []
                        while true {
                            let records = try await Self.claim(platform, 7, by: "w\(worker)")
                            mine.append(records.map(\.id))
                            // Skipped rows may hide others for a moment, so only an empty table ends it.
                            if records.isEmpty,
                                try await platform.count("jobs", where: "state = 'available'") == 0
                            {
                                return mine
                            }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.allSatisfy { $0.count <= 7 })
            let ids = claimed.flatMap { $0 }
            #expect(ids.count == 400)
            #expect(Set(ids).count == 400)
        }
    }

    @Test(arguments: TestDatabase.available)
    func manyWorkersRunEveryJobOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                for index in 0..<100 { try tx.enqueue(TestJobs.Write("\(index)")) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    let worker = Worker(
                        database: platform.database, registry: platform.registry,
                        environment: platform.environment,
                        slots: 3)
                    group.addTask { try await worker.drain() }
                }
                try await group.waitForAll()
            }
            #expect(Set(try await Self.runs(platform)).count == 100)
            #expect(try await Self.runs(platform).count == 100)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobOfADeadWorkerIsRescuedAndRunOnceMore(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("a"))
            #expect(try await Self.claim(platform, 1, by: "dead").count == 1)
            // While the lease holds nobody else gets it.
            platform.advance(by: .seconds(15))
            await platform.worker.renewAndRescue()
            #expect(try await platform.drainJobs() == 0)
            platform.advance(by: .microseconds(1))
            await platform.worker.renewAndRescue()
            #expect(try await platform.drainJobs() == 1)
            #expect(try await Self.runs(platform) == ["a"])
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerThatLostItsLeaseCannotSettle(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("a"))
            let record = try #require(try await Self.claim(platform, 1, by: "slow").first)
            let entry = try #require(platform.registry[TestJobs.Write.name])
            let (_, work) = try entry.attempt(record, platform.context(.system("slow")), platform.database)
            platform.advance(by: .seconds(16))
            await platform.worker.renewAndRescue()
            // Another worker has it now, and may even have finished it.
            #expect(try await Self.claim(platform, 1, by: "quick").first?.attempt == 2)
            await #expect(throws: LeaseLost.self) { try await work() }
            #expect(try await Self.runs(platform) == [])
            #expect(try await platform.count("jobs", where: "state = 'running' AND worker = 'quick'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRenewedLeaseIsNotTakenOver(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("a"))
            let record = try #require(try await Self.claim(platform, 1, by: "slow").first)
            platform.advance(by: .seconds(14))
            let lease = platform.now + .seconds(15)
            try await platform.database.write {
                try JobQueue.heartbeat([record.id], worker: "slow", lease: lease, $0)
            }
            platform.advance(by: .seconds(14))
            await platform.worker.renewAndRescue()
            #expect(try await platform.drainJobs() == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobWhoseWorkersAllDiedIsGivenUp(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Stumble("retry"), TestJobs.Stumble("retry"))
            try await platform.execute(
                """
                UPDATE jobs SET state = 'running', attempt = max_attempts, worker = 'dead', \
                lease_until = \(platform.now - .seconds(1))
                """)
            await platform.worker.renewAndRescue()
            let reason = "the worker stopped without finishing"
            #expect(try await Self.runs(platform) == ["discarded: \(reason)", "discarded: \(reason)"])
            #expect(try await platform.count("jobs", where: "state = 'discarded' AND error = \(reason)") == 2)
        }
    }

    @Test(arguments: TestDatabase.available, ["throw", "throw inside", "retry"])
    func aFailingJobIsRetriedAndThenGivenUp(dialect: Dialect, how: String) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Stumble(how))
            #expect(try await platform.drainJobs() == 1)
            let due = try await platform.value("SELECT run_at FROM jobs", as: Instant.self)
            let wait = try #require(due) - platform.now
            #expect(wait >= .seconds(5) && wait <= .seconds(10))
            try await platform.finishJobs()
            let runs = try await Self.runs(platform)
            #expect(runs.last?.hasPrefix("discarded: ") == true)
            #expect(runs.filter { $0 == how }.count == (how == "retry" ? 3 : 0))
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=discarded attempt=3"])
        }
    }

    @Test(arguments: TestDatabase.available, ["refuse", "discard"])
    func aPermanentFailureIsGivenUpAtOnce(dialect: Dialect, how: String) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Stumble(how))
            try await platform.finishJobs()
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=discarded attempt=1"])
            let reason = how == "refuse" ? "It cannot be done." : "given up"
            #expect(try await Self.runs(platform).last == "discarded: \(reason)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSnoozeUsesUpNoAttempt(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Stumble("snooze"))
            for round in 1...6 {
                #expect(try await platform.drainJobs() == 1)
                #expect(
                    try await platform.rows("SELECT state, attempt FROM jobs") == [
                        "state=scheduled attempt=0"
                    ])
                #expect(try await Self.runs(platform).count == round)
                platform.advance(by: .seconds(5))
            }
        }
    }

    @Test func delaysStayWithinTheirBoundsAndUnderTheCap() {
        let seed = SeededGenerator.randomSeed()
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let policy = RetryPolicy(
                maximumAttempts: 5, base: .milliseconds(.random(in: 1...60_000, using: &generator)),
                cap: .milliseconds(.random(in: 1...3_600_000, using: &generator)))
            let attempt = Int.random(in: 0...200, using: &generator)
            let delay = policy.delay(after: attempt, random: .random(in: 0..<1, using: &generator))
            var full = policy.base
            for _ in 1..<max(attempt, 1) where full < policy.cap { full = full * 2 }
            full = min(full, policy.cap)
            #expect(delay >= full * 0.5 - .microseconds(1) && delay <= full, "seed \(seed)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatNobodyKnowsHereIsLeftToOthersAndAnUnreadableOneGivenUp(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(
                platform, TestJobs.Write("a"), TestJobs.Write("b"), TestJobs.Write("c"), TestJobs.Write("d"))
            try await platform.execute(
                "UPDATE jobs SET name = 'gone.job' WHERE payload LIKE '%\"a\"%'",
                "UPDATE jobs SET payload = '[]' WHERE payload LIKE '%\"b\"%'",
                "UPDATE jobs SET payload_version = 2 WHERE payload LIKE '%\"c\"%'",
                "UPDATE jobs SET payload = '{\"what\": \"d\", \"later\": [1]}' WHERE payload LIKE '%\"d\"%'")
            for _ in 0..<3 {
                try await platform.drainJobs()
                platform.advance(by: .seconds(60))
            }
            let rows = try await platform.rows("SELECT state, attempt, error FROM jobs ORDER BY id")
            #expect(rows.count == 3)
            #expect(rows[0] == "state=scheduled attempt=0 error=no handler is registered for 'gone.job'")
            #expect(rows[1].hasPrefix("state=discarded attempt=1 error=the payload cannot be read: "))
            #expect(rows[2].hasPrefix("state=scheduled attempt=0 error=its payload is of version 2"))
            // An unknown field is no obstacle.
            #expect(try await Self.runs(platform) == ["d"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobStoredUnderAnEarlierNameRuns(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Once())
            try await platform.execute("UPDATE jobs SET name = 'test.only_once'")
            try await platform.drainJobs()
            #expect(try await Self.runs(platform) == ["once"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aUniqueJobIsInTheQueueOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await Self.enqueue(platform, TestJobs.Once()) } }
                try await group.waitForAll()
            }
            #expect(try await platform.count("jobs") == 1)
            // Also while it runs.
            let record = try #require(try await Self.claim(platform, 1, by: "w").first)
            try await Self.enqueue(platform, TestJobs.Once())
            #expect(try await platform.count("jobs") == 1)
            let now = platform.now
            _ = try await platform.database.write { tx in
                try JobQueue.settle(record, .completed, RetryPolicy(), tx, now: now)
            }
            // But not for ever.
            try await Self.enqueue(platform, TestJobs.Once())
            #expect(try await platform.count("jobs") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatTakesTooLongIsCancelledAndRetried(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Hang())
            #expect(try await platform.drainJobs() == 1)
            let rows = try await platform.rows("SELECT state, attempt, error FROM jobs")
            #expect(rows.count == 1)
            #expect(rows.first?.hasPrefix("state=scheduled attempt=1 error=The job took longer than") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func jobsRunInTheOrderInWhichTheyAreDue(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let now = platform.now
            try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                for index in [3, 1, 2] {
                    try tx.enqueue(TestJobs.Write("\(index)"), at: now + .seconds(index))
                }
            }
            #expect(try await platform.drainJobs() == 0)
            try await platform.finishJobs()
            #expect(try await Self.runs(platform) == ["1", "2", "3"])
        }
    }
}
