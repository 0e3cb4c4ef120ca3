import PlatformSupport
import ServiceLifecycle
import ServiceLifecycleTestKit
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Kernel

/// Every slot once, however many look and whatever their clocks say.
@Suite(.timeLimit(.minutes(20))) struct SchedulerTests {
    private static let minute = Duration.seconds(60)

    static func with(
        _ dialect: Dialect, extra: [Feature] = [], _ body: (TestPlatform) async throws -> Void
    ) async throws {
        try await TestPlatform.with(dialect, extra: [TestJobs.feature, TestSchedule.feature] + extra) {
            platform in
            // Ten seconds after a slot.
            platform.clock.set(Tally.floor(platform.now) + .seconds(10))
            try await body(platform)
        }
    }

    /// A scheduler of its own process, whose clock is wrong by `skew`.
    static func scheduler(
        _ platform: TestPlatform, _ entries: Set<String>, skew: Duration = .zero
    ) -> Scheduler {
        let environment = Environment(
            now: { [clock = platform.clock] in clock.now + skew }, configuration: Configuration(),
            features: platform.features)
        let features = [TestSchedule.feature, TestSchedule.broken].map { feature in
            var part = feature
            part.jobs = feature.jobs.filter { entries.contains($0.name) }
            return part
        }
        return Scheduler(features, database: platform.database, environment: environment)
    }

    private static func lastSlot(_ platform: TestPlatform, _ entry: String) async throws -> Instant? {
        try await platform.value("SELECT last_slot FROM job_schedules WHERE entry = \(entry)")
    }

    private static func missed(_ platform: TestPlatform, _ entry: String) async throws -> Int? {
        try await platform.value("SELECT missed FROM job_schedules WHERE entry = \(entry)")
    }

    /// Starts the entries: what is new begins with its next slot.
    private static func begin(_ platform: TestPlatform, _ entries: Set<String>) async throws {
        #expect(try await scheduler(platform, entries).tick() == 0)
    }

    @Test(arguments: TestDatabase.available)
    func aLookThatFindsNothingDueIsOneStatement(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let scheduler = Scheduler(
                platform.features, database: platform.database, environment: platform.environment)
            #expect(scheduler.entries.count > 2)
            try await scheduler.tick()
            _ = platform.database.takeStatementCount()
            #expect(try await scheduler.tick() == 0)
            #expect(platform.database.takeStatementCount() == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func threeSchedulersTakeEverySlotOfASweepOnce(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await Self.with(dialect) { platform in
            let entries: Set<String> = [TestSchedule.Sweep.name]
            // Just under an interval between the slowest and the fastest.
            let skews = [Duration.zero, .seconds(.random(in: 1..<58, using: &random)), .milliseconds(59_900)]
            var schedulers = skews.map { Self.scheduler(platform, entries, skew: $0) }
            try await Self.begin(platform, entries)
            let first = try #require(try await Self.lastSlot(platform, "sweep"))
            var taken: [Instant] = []
            var down = 3
            while taken.count < 200 {
                // The one that is down misses less than an interval: nobody is twice in a row.
                let before = down
                down = Int.random(in: 0..<6, using: &random)
                if down == before { down = 3 }
                for index in [0, 1, 2].shuffled(using: &random) where index != down {
                    let added = try await schedulers[index].tick()
                    if added > 0 { taken.append(try await Self.lastSlot(platform, "sweep") ?? first) }
                    #expect(added <= 1, "seed \(seed)")
                    try await platform.drainJobs()
                }
                if down < 3 { schedulers[down] = Self.scheduler(platform, entries, skew: skews[down]) }
                platform.advance(by: .milliseconds(.random(in: 100...29_000, using: &random)))
            }
            #expect(taken == taken.indices.map { first + Self.minute * ($0 + 1) }, "seed \(seed)")
            #expect(try await platform.count("job_runs") == taken.count, "seed \(seed)")
            #expect(try await Self.missed(platform, "sweep") == 0, "seed \(seed)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func threeSchedulersTakeEachSlotOnceThoughTheirClocksAreFarApart(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await Self.with(dialect) { platform in
            let entries: Set<String> = [TestSchedule.Digest.name]
            let skews = [0, 1, 2].map { _ in Duration.seconds(.random(in: -300...300, using: &random)) }
            var schedulers = skews.map { Self.scheduler(platform, entries, skew: $0) }
            try await Self.begin(platform, entries)
            let first = try #require(try await Self.lastSlot(platform, "digest"))
            var keys: [String] = []
            while keys.count < 200 {
                let down = Int.random(in: 0..<6, using: &random)
                // At the same moment, so that they meet at the row.
                let added = try await withThrowingTaskGroup(of: Int.self) { group in
                    for (index, scheduler) in schedulers.enumerated() where index != down {
                        group.addTask { try await scheduler.tick() }
                    }
                    return try await group.reduce(0, +)
                }
                let new = try await platform.database.read { db in
                    try db.values("SELECT unique_key FROM jobs ORDER BY id", as: String.self)
                }
                #expect(new.count == added, "seed \(seed)")
                keys += new
                try await platform.drainJobs()
                if down < 3 { schedulers[down] = Self.scheduler(platform, entries, skew: skews[down]) }
                platform.advance(by: .milliseconds(.random(in: 100...150_000, using: &random)))
            }
            let expected = keys.indices.map {
                "schedule:digest:\((first + Self.minute * ($0 + 1)).microseconds)"
            }
            #expect(keys.count == Set(keys).count, "seed \(seed)")
            #expect(Set(keys) == Set(expected), "seed \(seed)")
            #expect(try await platform.count("job_runs") == keys.count, "seed \(seed)")
            #expect(try await Self.missed(platform, "digest") == 0, "seed \(seed)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func schedulersThatMeetAtASlotEnqueueItOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let names: Set<String> = [TestSchedule.Sweep.name, TestSchedule.Digest.name]
            // Also the first look of all.
            for round in 0..<10 {
                let added = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<5 {
                        let scheduler = Self.scheduler(platform, names)
                        group.addTask { try await scheduler.tick() }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(added == (round == 0 ? 0 : 2))
                try await platform.drainJobs()
                platform.advance(by: Self.minute)
            }
            #expect(try await platform.count("job_runs") == 18)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatPassedDuringASilenceIsCaughtUpAsItsEntrySays(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let names: Set<String> = [TestSchedule.Sweep.name, TestSchedule.Digest.name]
            try await Self.begin(platform, names)
            platform.advance(by: Self.minute * 70)
            let now = platform.now
            #expect(try await Self.scheduler(platform, names).tick() == 51)
            let latest = Tally.floor(now)
            let keys = try await platform.database.read { db in
                try db.values(
                    "SELECT unique_key FROM jobs WHERE name = 'test.digest' ORDER BY id", as: String.self)
            }
            // The last fifty, the oldest first.
            #expect(
                keys == (0..<50).map { "schedule:digest:\((latest - Self.minute * (49 - $0)).microseconds)" })
            #expect(try await Self.missed(platform, "sweep") == 69)
            #expect(try await Self.missed(platform, "digest") == 20)
            #expect(
                try await platform.count(
                    "job_schedules", where: "last_slot = \(latest) AND last_enqueued_at = \(now)") == 2)
            #expect(try await Self.scheduler(platform, names).tick() == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSweepThatStillRunsIsNotEnqueuedAgain(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let scheduler = Self.scheduler(platform, [TestSchedule.Sweep.name])
            _ = try await scheduler.tick()
            platform.advance(by: Self.minute)
            #expect(try await scheduler.tick() == 1)
            let record = try #require(try await JobQueueTests.claim(platform, 1, by: "w").first)
            for _ in 0..<3 {
                platform.advance(by: Self.minute)
                #expect(try await scheduler.tick() == 0)
            }
            #expect(try await platform.count("jobs") == 1)
            #expect(try await Self.missed(platform, "sweep") == 3)
            await platform.worker.perform(record)
            platform.advance(by: Self.minute)
            #expect(try await scheduler.tick() == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEntryThatIsTurnedOffDoesNothing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let scheduler = Self.scheduler(platform, [TestSchedule.Off.name])
            for _ in 0..<3 {
                let added = try await scheduler.tick()
                #expect(added == 0)
                platform.advance(by: Self.minute)
            }
            #expect(try await platform.count("job_schedules", where: "entry = 'off'") == 0)
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEntryThatFailsDoesNotKeepTheOthersFromRunning(dialect: Dialect) async throws {
        try await Self.with(dialect, extra: [TestSchedule.broken]) { platform in
            let names: Set<String> = [TestSchedule.Broken.name, TestSchedule.Sweep.name]
            try await Self.begin(platform, names)
            platform.advance(by: Self.minute)
            await #expect(throws: TestJobs.Stumble.Trouble.self) {
                try await Self.scheduler(platform, names).tick()
            }
            #expect(try await platform.rows("SELECT name FROM jobs") == ["name=test.sweep"])
            // Its slot is not lost: it counts once it can be enqueued.
            #expect(try await Self.lastSlot(platform, "a-broken") == Tally.floor(platform.now) - Self.minute)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSchedulerStopsAtOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let scheduler = Self.scheduler(platform, [TestSchedule.Sweep.name])
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await scheduler.run() }
                    while try await platform.count("job_schedules") == 0 { await Task.yield() }
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }
}
