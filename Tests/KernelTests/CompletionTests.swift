import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Jobs that end together.
@Suite(.timeLimit(.minutes(20))) struct CompletionTests {
    /// Claimed jobs, ready to end.
    private static func attempts(_ platform: TestPlatform, _ count: Int) async throws -> [JobAttempt] {
        try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
            for index in 0..<count { try tx.enqueue(TestJobs.Write("\(index)")) }
        }
        return try await JobQueueTests.claim(platform, count, by: "w").map { record in
            JobAttempt(
                TestJobs.Write("never"), record, context: platform.context(), database: platform.database)
        }
    }

    /// Ends all of them at once.
    /// - Returns: the jobs of those that had lost their lease.
    private static func complete(_ attempts: [JobAttempt]) async throws -> [ULID] {
        let completions = Completions()
        return try await withThrowingTaskGroup(of: ULID?.self) { group in
            for attempt in attempts {
                group.addTask {
                    do { try await completions.complete(attempt) } catch let lost as LeaseLost {
                        return lost.job
                    }
                    return nil
                }
            }
            return try await group.reduce(into: []) { lost, job in if let job { lost.append(job) } }
        }
    }

    @Test(arguments: TestDatabase.available)
    func jobsThatEndTogetherShareCommits(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let attempts = try await Self.attempts(platform, 200)
            let before = platform.database.statistics.writes
            #expect(try await Self.complete(attempts) == [])
            let writes = platform.database.statistics.writes - before
            #expect(writes < 100, "\(writes) transactions for 200 jobs")
            #expect(attempts.count { $0.isSettled } == 200)
            #expect(try await platform.count("jobs") == 0)
            #expect(try await platform.count("task_executions", where: "outcome = 'completed'") == 200)
            #expect(
                try await platform.value("SELECT CAST(SUM(delta) AS BIGINT) FROM tally_deltas", as: Int.self)
                    == 200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneThatLostItsLeaseDoesNotHoldUpTheOthers(dialect: Dialect) async throws {
        try await JobQueueTests.with(dialect) { platform in
            let attempts = try await Self.attempts(platform, 60)
            let lost = [7, 31, 59].map { attempts[$0].record.id }
            try await platform.execute(
                "UPDATE jobs SET worker = 'other' WHERE id \(in: lost.map(\.description))")
            #expect(try await Self.complete(attempts).sorted() == lost.sorted())
            #expect(attempts.filter { !$0.isSettled }.map(\.record.id) == lost)
            #expect(try await platform.count("jobs", where: "worker = 'other'") == 3)
            #expect(try await platform.count("jobs") == 3)
            #expect(try await platform.count("task_executions") == 57)
        }
    }
}
