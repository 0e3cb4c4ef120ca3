import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// What the history keeps of every attempt.
@Suite(.timeLimit(.minutes(20))) struct TaskExecutionTests {
    private static let secret = "sk_live_0123456789abcdefghijkl"

    /// Claims a job as `worker` and lets it run.
    private static func runOne(
        _ platform: TestPlatform, by worker: String = "w", taking: Duration = .zero
    ) async throws -> JobRecord? {
        guard let record = try await JobQueueTests.claim(platform, 1, by: worker).first else { return nil }
        platform.advance(by: taking)
        await platform.worker.perform(record)
        return record
    }

    @Test(arguments: TestDatabase.available)
    func anAttemptIsDescribedAsItWas(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let context = platform.context()
            try await platform.database.transaction(context, category: .admin) { tx, _ in
                _ = try tx.enqueue(TestJobs.Write("a"))
            }
            let received = platform.now
            platform.advance(by: .seconds(3))
            let started = platform.now
            // An id of another moment must not change that of the attempt.
            platform.advance(by: .seconds(60))
            _ = platform.context().newID()
            platform.clock.set(started)
            let record = try #require(try await Self.runOne(platform, taking: .milliseconds(1_234)))
            let rows = try await platform.database.read { db in
                try db.all("SELECT \(TaskExecution.columns) FROM task_executions", as: TaskExecution.self)
            }
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(row.id.milliseconds == platform.now.microseconds / 1_000)
            #expect(row.jobID == record.id && row.taskName == "test.write" && row.queue == "celery")
            #expect(row.worker == "w" && row.attempt == 1 && row.outcome == .completed)
            #expect(row.receivedAt == received && row.startedAt == started && row.finishedAt == platform.now)
            #expect(row.durationMS == 1_234 && row.errorType == nil && row.errorMessage == nil)
            #expect(row.arguments == #"{"what":"a"}"# && row.deploySHA == "0123abc")
            #expect(row.requestID == context.requestID)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAttemptAndItsRowAreKeptTogetherOrNotAtAll(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Write("a"))
            try await platform.refuseInserts(into: "task_executions")
            _ = try await Self.runOne(platform)
            #expect(try await JobQueueTests.runs(platform) == [])
            #expect(
                try await platform.rows("SELECT state, attempt FROM jobs") == ["state=running attempt=1"])
            #expect(try await platform.count("tally_deltas", where: "metric = 'tasks'") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerThatLostItsLeaseLeavesNoRow(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            try await JobQueueTests.enqueue(platform, TestJobs.Write("a"))
            let slow = try #require(try await JobQueueTests.claim(platform, 1, by: "slow").first)
            platform.advance(by: .seconds(16))
            await platform.worker.renewAndRescue()
            let quick = try #require(try await JobQueueTests.claim(platform, 1, by: "quick").first)
            await platform.worker.perform(slow)
            #expect(try await JobQueueTests.runs(platform) == [])
            await platform.worker.perform(quick)
            #expect(
                try await platform.rows(
                    "SELECT attempt, outcome, worker FROM task_executions ORDER BY attempt") == [
                        "attempt=1 outcome=retryable worker=slow", "attempt=2 outcome=completed worker=quick",
                    ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func nothingSecretAndNothingEndlessIsKept(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            // One character of two hundred thousand bytes, and a byte that PostgreSQL refuses.
            let endless = "e" + String(repeating: "\u{301}", count: 100_000)
            for text in ["it has \(Self.secret)", endless, "a\0b", ""] {
                try await JobQueueTests.enqueue(platform, TestJobs.Blunder(text))
            }
            for _ in 0..<4 { #expect(try await Self.runOne(platform) != nil) }
            #expect(
                try await platform.count("jobs", where: "state = 'scheduled' AND LENGTH(error) < 2001") == 4)
            let rows = try await platform.database.read { db in
                try db.all(
                    "SELECT \(TaskExecution.columns) FROM task_executions ORDER BY job_id",
                    as: TaskExecution.self)
            }
            #expect(rows.count == 4 && rows.allSatisfy { $0.errorType == "Trouble" })
            #expect(rows.allSatisfy { $0.errorMessage.map { $0.utf8.count <= 2_000 } == true })
            #expect(rows.allSatisfy { $0.arguments.map { $0.utf8.count <= 1_000 } == true })
            #expect(rows[1].arguments == "too large to record")
            #expect(rows[2].errorMessage == "ab")
            #expect(rows[0].arguments?.contains("[REDACTED]") == true)
            let texts =
                try await platform.rows("SELECT error FROM jobs")
                + platform.rows("SELECT arguments, error_message, result_summary FROM task_executions")
            let found = texts.filter { $0.contains(Self.secret) || $0.contains("hunter2") }
            #expect(found.isEmpty)
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyAttemptIsOneRowAndTheCountsAreWhatAScanCounts(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await QueueTests.with(dialect) { platform in
            let ways = ["throw", "throw inside", "retry", "refuse", "discard", "snooze"]
            var attempts: [String: Int] = [:]
            for step in 0..<150 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: try await JobQueueTests.enqueue(platform, TestJobs.Write("\(step)"))
                case 1:
                    let how = ways.randomElement(using: &random) ?? "retry"
                    try await JobQueueTests.enqueue(platform, TestJobs.Stumble(how))
                case 2:
                    let long = Duration.milliseconds(.random(in: 0...200_000, using: &random))
                    if let record = try await Self.runOne(platform, taking: long) {
                        attempts["\(record.id) \(record.attempt)", default: 0] += 1
                    }
                default:
                    // Its worker dies, and it is run by nobody.
                    for record in try await JobQueueTests.claim(platform, 1, by: "dead") {
                        attempts["\(record.id) \(record.attempt)", default: 0] += 1
                        platform.advance(by: .seconds(16))
                        await platform.worker.renewAndRescue()
                    }
                }
                if Int.random(in: 0..<10, using: &random) == 0 {
                    _ = try await platform.database.write { try Tally.compact($0, limit: 20) }
                }
            }
            let rows = try await platform.database.read { db in
                try db.all("SELECT \(TaskExecution.columns) FROM task_executions", as: TaskExecution.self)
            }
            let kept = rows.reduce(into: [:]) { $0["\($1.jobID) \($1.attempt)", default: 0] += 1 }
            #expect(kept == attempts, "seed \(seed)")
            #expect(rows.count > 20, "seed \(seed)")
            let scanned = rows.reduce(into: [[String]: Int]()) { counts, row in
                let bucket = DurationBucket(row.durationMS).name
                counts[[row.taskName, row.outcome.rawValue, bucket, row.queue], default: 0] += 1
            }
            let (from, to) = (TestClock.start - .seconds(60), platform.now + .seconds(60))
            let counted = try await platform.database.read { db in
                try TaskExecution.tally.counts(
                    from: Tally.floor(from), to: Tally.floor(to), filters: [], db)
            }
            #expect(
                Dictionary(uniqueKeysWithValues: counted.map { ($0.dimensions, $0.count) }) == scanned,
                "seed \(seed)")
            // Also in a part of the time, by when an attempt ended, as a list of ids has it.
            let middle = Tally.floor(from + (to - from) * 0.5)
            let early = try await platform.database.read { db in
                try TaskExecution.tally.counts(from: Tally.floor(from), to: middle, filters: [], db)
            }
            let ended = rows.filter { $0.finishedAt < middle }
            #expect(early.reduce(0) { $0 + $1.count } == ended.count, "seed \(seed)")
            #expect(rows.filter { $0.id < ULID.first(at: middle) }.count == ended.count, "seed \(seed)")
        }
    }

    @Test func theMiddleOfABucketIsWithinOnePercent() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        var values = Array(0...5_000) + [1_000_000_000]
        for power in 0..<9 {
            var scale = 1
            for _ in 0..<power { scale *= 10 }
            values += [scale - 1, scale, scale + 1]
            for _ in 0..<2_000 { values.append(.random(in: 0...scale * 10, using: &random)) }
        }
        for value in values {
            let bucket = DurationBucket(value)
            #expect(bucket.lower <= value && value < bucket.lower + bucket.width, "seed \(seed)")
            #expect(abs(bucket.middle - Double(value)) <= Double(value) * 0.01, "\(value) seed \(seed)")
            #expect(DurationBucket(name: bucket.name) == bucket, "\(value) seed \(seed)")
            #expect(DurationBucket(bucket.lower + bucket.width) > bucket, "\(value) seed \(seed)")
            if value < 100 { #expect(bucket.width == 1) }
        }
        #expect(DurationBucket(-5) == DurationBucket(0))
    }
}
