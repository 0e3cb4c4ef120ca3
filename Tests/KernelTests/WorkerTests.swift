import JSON
import Kernel
import PlatformSupport
import ServiceLifecycle
import ServiceLifecycleTestKit
import Storage
import TestSupport
import Testing

/// A worker that runs as it does in production: woken, stopped, waited for.
@Suite(.timeLimit(.minutes(20))) struct WorkerTests {
    static func worker(_ platform: TestPlatform, slots: Int = 4, lease: Duration = .seconds(15)) -> Worker {
        Worker(
            database: platform.database, registry: platform.registry, environment: platform.environment,
            slots: slots,
            lease: lease)
    }

    @Test(arguments: TestDatabase.available)
    func aCommitWakesTheWorker(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let worker = Self.worker(platform)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                // Without a wake-up each would wait for the poll, two seconds after the last.
                var waits: [Duration] = []
                for index in 0..<4 {
                    let gate = "wake \(dialect) \(index)"
                    let start = ContinuousClock.now
                    try await JobQueueTests.enqueue(platform, TestJobs.Linger(gate))
                    await Gate.named(gate).arrived()
                    waits.append(ContinuousClock.now - start)
                    await Gate.named(gate).open()
                }
                #expect((waits.dropFirst().min() ?? .zero) < .milliseconds(1_000))
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRunningJobFinishesBeforeTheWorkerStops(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let gate = Gate.named("shutdown \(dialect)")
            try await JobQueueTests.enqueue(platform, TestJobs.Linger("shutdown \(dialect)"))
            let lease = Duration.milliseconds(60)
            let worker = Self.worker(platform, slots: 1, lease: lease)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await worker.run() }
                    await gate.arrived()
                    trigger.triggerGracefulShutdown()
                    try await JobQueueTests.enqueue(platform, TestJobs.Write("after"))
                    // Its lease goes on being renewed.
                    platform.advance(by: .seconds(1))
                    let renewed = platform.now + lease
                    while try await platform.value("SELECT lease_until FROM jobs WHERE state = 'running'")
                        != renewed
                    {
                        await Task.yield()
                    }
                    #expect(worker.activeJobs == 1)
                    await gate.open()
                    try await group.waitForAll()
                }
            }
            #expect(try await JobQueueTests.runs(platform) == ["lingered"])
            #expect(
                try await platform.rows("SELECT name, state FROM jobs") == ["name=test.write state=available"]
            )
        }
    }

    @Test(arguments: TestDatabase.available)
    func anIdleWorkerStopsAtOnce(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let worker = Self.worker(platform)
            let gate = Gate.named("idle \(dialect)")
            await gate.open()
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await worker.run() }
                    try await JobQueueTests.enqueue(platform, TestJobs.Linger("idle \(dialect)"))
                    await gate.arrived()
                    let start = ContinuousClock.now
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                    #expect(ContinuousClock.now - start < .milliseconds(1_500))
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func noMoreJobsRunThanThereAreSlots(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let worker = Self.worker(platform, slots: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                for index in 0..<4 {
                    try await JobQueueTests.enqueue(platform, TestJobs.Linger("slot \(dialect) \(index)"))
                }
                await Gate.named("slot \(dialect) 0").arrived()
                await Gate.named("slot \(dialect) 1").arrived()
                #expect(worker.activeJobs == 2)
                #expect(try await platform.count("jobs", where: "state = 'running'") == 2)
                await Gate.named("slot \(dialect) 0").open()
                await Gate.named("slot \(dialect) 2").arrived()
                for index in 1..<4 { await Gate.named("slot \(dialect) \(index)").open() }
                await Gate.named("slot \(dialect) 3").arrived()
                while try await platform.count("job_runs") < 4 { await Task.yield() }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }
}
