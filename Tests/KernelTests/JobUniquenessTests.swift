import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Keys of which there is one job at a time, or one in a while.
@Suite struct JobUniquenessTests {
    static func enqueue(_ platform: TestPlatform, _ job: some Job, uniqueKey: String? = nil) async throws
        -> Bool
    {
        try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
            try tx.enqueue(job, uniqueKey: uniqueKey)
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func ofTwentyThatComeTogetherOneIsAdded(dialect: Dialect, hasWindow: Bool) async throws {
        try await QueueTests.with(dialect) { platform in
            let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        hasWindow
                            ? try await Self.enqueue(platform, TestJobs.Windowed())
                            : try await Self.enqueue(platform, TestJobs.Once())
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(added == 1)
            #expect(try await platform.count("jobs") == 1)
            // Each says what became of it, also of a key that the caller gives.
            #expect(try await Self.enqueue(platform, TestJobs.Write("a"), uniqueKey: "k"))
            #expect(try await !Self.enqueue(platform, TestJobs.Write("b"), uniqueKey: "k"))
            #expect(try await Self.enqueue(platform, TestJobs.Write("c"), uniqueKey: "l"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWindowHoldsAfterTheJobHasEndedAndNoLonger(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            #expect(try await Self.enqueue(platform, TestJobs.Windowed()))
            try await platform.drainJobs()
            #expect(try await platform.count("jobs") == 0)
            platform.advance(by: .seconds(60) - .microseconds(1))
            #expect(try await !Self.enqueue(platform, TestJobs.Windowed()))
            platform.advance(by: .microseconds(1))
            #expect(try await Self.enqueue(platform, TestJobs.Windowed()))
            try await platform.drainJobs()
            #expect(try await JobQueueTests.runs(platform) == ["windowed", "windowed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatOutlivesItsWindowOpensNoOther(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            #expect(try await Self.enqueue(platform, TestJobs.Windowed()))
            let record = try #require(try await JobQueueTests.claim(platform, 1, by: "w").first)
            platform.advance(by: .seconds(70))
            #expect(try await !Self.enqueue(platform, TestJobs.Windowed()))
            await platform.worker.perform(record)
            #expect(try await platform.count("jobs") == 0)
            // The window began with the first, and is over.
            #expect(try await Self.enqueue(platform, TestJobs.Windowed()))
        }
    }

    @Test(arguments: TestDatabase.available)
    func anUndoneTransactionOpensNoWindow(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            await #expect(throws: TestJobs.Stumble.Trouble.self) {
                try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                    try tx.enqueue(TestJobs.Windowed())
                    throw TestJobs.Stumble.Trouble()
                }
            }
            let isAdded = try await Self.enqueue(platform, TestJobs.Windowed())
            #expect(isAdded)
        }
    }

    private struct Unlisted: Job {
        static let name = "test.unlisted"
        func run(_ attempt: JobAttempt) async throws {}
    }

    @Test(arguments: TestDatabase.available)
    func aJobThatNoFeatureListsCannotBeEnqueued(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let failure = await #expect(throws: Failure.self) {
                try await Self.enqueue(platform, Unlisted())
            }
            #expect(failure?.message.contains("test.unlisted") == true)
            let count = try await platform.count("jobs")
            #expect(count == 0)
        }
    }
}
