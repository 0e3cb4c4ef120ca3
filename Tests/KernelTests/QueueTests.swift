import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// What a queue gives out, and when.
@Suite(.timeLimit(.minutes(20))) struct QueueTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [TestJobs.feature, TestJobs.engine], body)
    }

    @Test(arguments: TestDatabase.available)
    func theMostUrgentJobsOfAQueueGoFirst(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await Self.with(dialect) { platform in
            var kinds = (0..<30).map { $0 % 3 }
            kinds.shuffle(using: &random)
            for (index, kind) in kinds.enumerated() {
                let job: any Job =
                    [TestJobs.Urgent("\(index)"), TestJobs.Write("\(index)"), TestJobs.Idle("\(index)")][kind]
                try await JobQueueTests.enqueue(platform, job)
                platform.advance(by: .milliseconds(1))
            }
            let expected = (0..<3).flatMap { kind in kinds.indices.filter { kinds[$0] == kind } }
            while try await platform.count("jobs") > 0 {
                for record in try await JobQueueTests.claim(platform, 1, by: "w") {
                    await platform.worker.perform(record)
                }
            }
            #expect(try await JobQueueTests.runs(platform) == expected.map(String.init), "seed \(seed)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFullQueueDoesNotHoldUpOthersAndIsNeverOverfull(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let (crowd, gate) = ("crowd \(dialect)", Gate.named("beside \(dialect)"))
            for _ in 0..<20 { try await JobQueueTests.enqueue(platform, TestJobs.Upkeep(crowd)) }
            try await JobQueueTests.enqueue(platform, TestJobs.Linger("beside \(dialect)"))
            let worker = WorkerTests.worker(platform, slots: 8)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                await Gate.named(crowd).arrived()
                await gate.arrived()
                while try await platform.count("jobs", where: "state = 'running'") < 3 { await Task.yield() }
                // Another queue's job comes and goes while this one is full.
                await gate.open()
                while try await platform.count("job_runs") < 1 { await Task.yield() }
                try await JobQueueTests.enqueue(platform, TestJobs.Write("later"))
                while try await platform.count("job_runs") < 2 { await Task.yield() }
                #expect(
                    try await platform.rows(
                        "SELECT state, COUNT(*) AS n FROM jobs GROUP BY state ORDER BY state"
                    ) == ["state=available n=18", "state=running n=2"])
                await Gate.named(crowd).open()
                while try await platform.count("jobs") > 0 { await Task.yield() }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(TestJobs.Upkeep.most(crowd) == 2)
            #expect(try await platform.count("job_runs", where: "job = 'upkeep'") == 20)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPausedQueueGivesNothingUntilItIsResumed(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let crowd = "paused \(dialect)"
            await Gate.named(crowd).open()
            try await platform.execute(
                "INSERT INTO job_queues (name, paused_at) VALUES ('maintenance', \(platform.now))")
            try await JobQueueTests.enqueue(platform, TestJobs.Upkeep(crowd), TestJobs.Write("a"))
            #expect(try await platform.drainJobs() == 1)
            #expect(try await JobQueueTests.runs(platform) == ["a"])
            try await platform.execute("UPDATE job_queues SET paused_at = NULL")
            #expect(try await platform.drainJobs() == 1)
            #expect(try await JobQueueTests.runs(platform) == ["a", "upkeep"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobForLaterIsGivenOutWhenItIsDueAndNotBefore(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let due = platform.now + .seconds(10)
            try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                _ = try tx.enqueue(TestJobs.Write("later"), at: due)
            }
            #expect(try await platform.rows("SELECT state FROM jobs") == ["state=scheduled"])
            platform.clock.set(due - .microseconds(1))
            #expect(try await JobQueueTests.claim(platform, 5, by: "w").isEmpty)
            platform.clock.set(due)
            #expect(try await JobQueueTests.claim(platform, 5, by: "w").count == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aClaimUsesItsIndexesHoweverManyJobsWait(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let now = platform.now
            let numbers: SQL =
                switch dialect {
                case .sqlite:
                    """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
                    """
                case .postgres: "WITH numbers (n) AS (SELECT * FROM generate_series(1, 100000))"
                }
            for (prefix, state, delay) in [("S", "scheduled", 60), ("A", "available", -60)] {
                try await platform.execute(
                    """
                    INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, \
                    max_attempts, run_at, created_at) \(numbers) SELECT \(prefix) || CAST(n AS TEXT), \
                    'test.write', CASE n % 3 WHEN 0 THEN 'celery' ELSE 'payments' END, n % 11, '{}', 1, \
                    \(state), 0, 5, \((now + .seconds(delay)).microseconds), 0 FROM numbers
                    """)
            }
            try await platform.execute("ANALYZE")
            let limits = Queue.all.map { ($0.name, limit: 8) }
            let lease = now + .seconds(15)
            for sql in [
                JobQueue.promotion(now: now), JobQueue.promotion(now: now + .seconds(120)),
                JobQueue.taking(limits, worker: "w", lease: lease, now: now),
            ] {
                let explain: SQL = dialect == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
                let plan = try await platform.database.write { tx in
                    try tx.rows(explain + sql).map { row in
                        try row.get(at: dialect == .sqlite ? 3 : 0, as: String.self)
                    }
                }
                let scans = plan.filter { $0.contains("SCAN jobs") || $0.contains("Seq Scan on jobs") }
                #expect(!plan.isEmpty && scans.isEmpty, "\(plan.joined(separator: "\n"))")
                let index = plan.contains { $0.contains("jobs_ready") || $0.contains("jobs_scheduled") }
                #expect(index, "\(plan.joined(separator: "\n"))")
                let sorts = plan.filter { $0.contains("USE TEMP B-TREE") || $0.contains("Sort") }
                #expect(sorts.isEmpty, "\(plan.joined(separator: "\n"))")
            }
        }
    }
}
