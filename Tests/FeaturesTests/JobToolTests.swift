import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The tools over our own job engine: what they say is what happened.
@Suite struct JobToolTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [TestJobs.feature], body)
    }

    static func enqueue<J: Job>(_ platform: TestPlatform, _ jobs: J..., at: Instant? = nil) async throws {
        try await platform.database.transaction(platform.context(), category: .automated) { tx, _ in
            for job in jobs { try tx.enqueue(job, at: at) }
        }
    }

    static func texts(_ answer: JSONValue, _ list: String, _ key: String) -> [String] {
        answer[list]?.arrayValue?.compactMap { $0[key]?.stringValue } ?? []
    }

    static func row(_ answer: JSONValue, _ list: String, _ name: String, key: String = "name") -> JSONValue? {
        answer[list]?.arrayValue?.first { $0[key] == .string(name) }
    }

    static func fail(_ platform: TestPlatform) async throws -> JSONValue {
        try await enqueue(platform, TestJobs.Stumble("discard"))
        try await platform.finishJobs()
        let failed = try await platform.call("celery_failed_tasks")
        return try #require(failed["failed_tasks"]?[0]?["task_id"])
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerIsOnlineWhileItsHeartbeatIsFreshAndNobodyIsNoSilence(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let nobody = try await platform.call("celery_worker_status")
            #expect(nobody["status"] == "degraded")
            #expect(nobody["problem"]?.stringValue?.contains("No worker is online") == true)
            #expect(nobody["summary"]?["online_workers"] == 0)
            await platform.worker.renewAndRescue()
            let one = try await platform.call("celery_worker_status")
            #expect(one["status"] == "ok")
            #expect(one["workers"]?[0]?["status"] == "online")
            #expect(one["workers"]?[0]?["queues"]?.arrayValue?.count == Queue.all.count)
            platform.advance(by: .seconds(60))
            let silent = try await platform.call("celery_worker_status")
            #expect(silent["workers"]?[0]?["status"] == "offline")
            #expect(silent["summary"]?["offline_workers"] == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aQueueTellsItsDepthAgeConsumersAndThroughput(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("a"), TestJobs.Write("b"))
            try await Self.enqueue(platform, TestJobs.Write("later"), at: platform.now + .seconds(3_600))
            platform.advance(by: .seconds(30))
            let before = try await platform.call("celery_queue_depth")
            let queue = try #require(Self.row(before, "queues", "celery"))
            #expect(queue["depth"] == 2)
            #expect(queue["oldest_age_seconds"]?.doubleValue == 30)
            #expect(queue["consumers"] == 0)
            #expect(before["total_depth"] == 2)
            #expect(before["status"] == "degraded")
            #expect(before["problem"]?.stringValue?.contains("celery: jobs wait and no worker") == true)
            await platform.worker.renewAndRescue()
            try await platform.drainJobs()
            platform.advance(by: .seconds(60))
            await platform.worker.renewAndRescue()
            let after = try await platform.call("celery_queue_depth")
            let drained = try #require(Self.row(after, "queues", "celery"))
            #expect(drained["depth"] == 0)
            #expect(drained["oldest_age_seconds"] == .null)
            #expect(drained["consumers"] == 1)
            #expect(drained["throughput_per_minute"]?.doubleValue == 0.4)
            #expect(after["status"] == "ok")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPausedQueueKeepsItsJobsUntilItIsResumed(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let paused = try await platform.call("queue_pause", ["queue": "celery", "reason": "on fire"])
            #expect(paused["is_changed"] == true)
            try await Self.enqueue(platform, TestJobs.Write("a"))
            #expect(try await platform.drainJobs() == 0)
            let depth = try await platform.call("celery_queue_depth")
            #expect(Self.row(depth, "queues", "celery")?["is_paused"] == true)
            #expect(depth["problem"]?.stringValue?.contains("on fire") == true)
            let again = try await platform.call("queue_pause", ["queue": "celery", "reason": "still"])
            #expect(again["is_changed"] == false)
            _ = try await platform.call("queue_resume", ["queue": "celery"])
            #expect(try await platform.drainJobs() == 1)
            let actions = try await platform.rows(
                "SELECT action FROM audit_logs WHERE resource_type = 'queue' AND action LIKE 'queue.%' ORDER BY id"
            )
            #expect(actions == ["action=queue.pause", "action=queue.resume"])
            let refused = try await platform.failure("queue_pause", ["queue": "nope", "reason": "typo"])
            #expect(refused?.code == .invalidInput)
            #expect(
                refused?.message.contains("payments") == true
                    || "\(refused?.fields ?? [])".contains("payments"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func theHistoryHasEveryAttemptByNameAndState(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("fine"))
            try await Self.enqueue(platform, TestJobs.Stumble("retry"))
            try await platform.finishJobs()
            let all = try await platform.call("celery_task_history", ["hours": 24])
            #expect(Self.texts(all, "tasks", "state").sorted() == ["FAILURE", "RETRY", "RETRY", "SUCCESS"])
            let failures = try await platform.call("celery_task_history", ["state": "FAILURE", "hours": 24])
            #expect(Self.texts(failures, "tasks", "task_name") == ["test.stumble"])
            #expect(failures["tasks"]?[0]?["retries"] == 2)
            #expect(failures["tasks"]?[0]?["exception"]?.stringValue?.contains("not yet") == true)
            let named = try await platform.call(
                "celery_task_history", ["task_name": "test.write", "hours": 24])
            #expect(Self.texts(named, "tasks", "state") == ["SUCCESS"])
            let pages = try await platform.call(
                "celery_task_history_persistent", ["task_name": "test.stumble", "limit": 2])
            #expect(pages["count"] == 2)
            #expect(pages["left_out"]?.stringValue?.isEmpty == false)
            let failed = try await platform.call("celery_failed_tasks", ["limit": 1])
            #expect(failed["failed_tasks"]?[0]?["task_name"] == "test.stumble")
            #expect(failed["failed_tasks"]?[0]?["queue"] == "celery")
            platform.advance(by: .seconds(25 * 3_600))
            let old = try await platform.call("celery_task_history", ["hours": 24])
            #expect(old["count"] == 0)
            let kept = try await platform.call("celery_task_history_persistent", ["since_hours": 48])
            #expect(kept["count"] == 4)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatWaitsIsPendingAndWhatRunsIsActive(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let gate = "active \(dialect)"
            try await Self.enqueue(platform, TestJobs.Linger(gate))
            let pending = try await platform.call("celery_task_history", ["state": "PENDING"])
            #expect(Self.texts(pending, "tasks", "task_name") == ["test.linger"])
            async let drained = platform.drainJobs()
            await Gate.named(gate).arrived()
            let active = try await platform.call("celery_active_tasks")
            #expect(Self.texts(active, "tasks", "task_name") == ["test.linger"])
            #expect(active["tasks"]?[0]?["worker"]?.stringValue?.hasPrefix("wrk_") == true)
            let started = try await platform.call("celery_task_history", ["state": "STARTED"])
            #expect(started["count"] == 1)
            await Gate.named(gate).open()
            #expect(try await drained == 1)
            #expect(try await platform.call("celery_active_tasks")["count"] == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatRunsShowsNoMoreThanTheHistoryWouldKeep(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let gate = "secret \(dialect)"
            try await Self.enqueue(platform, TestJobs.Linger(gate, password: "hunter2"))
            async let drained = platform.drainJobs()
            await Gate.named(gate).arrived()
            let active = try await platform.call("celery_active_tasks")["tasks"]?[0]?["kwargs"]?.stringValue
            let started = try await platform.call("celery_task_history_persistent", ["status": "STARTED"])
            await Gate.named(gate).open()
            #expect(try await drained == 1)
            let ended = try await platform.call("celery_task_history_persistent", ["status": "SUCCESS"])
            let kept = try #require(ended["executions"]?[0]?["arguments"]?.stringValue)
            #expect(kept.contains("[REDACTED]") && !kept.contains("hunter2"))
            #expect(active == kept)
            #expect(started["executions"]?[0]?["arguments"]?.stringValue == kept)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatRunsIsFoundByNameAmongAnyNumberThatRun(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let ids = (0..<600).map { _ in platform.context().newID() }
            for (index, id) in ids.enumerated() {
                try await platform.execute(
                    """
                    INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, \
                    max_attempts, run_at, started_at, lease_until, worker, created_at) VALUES (\(id), \
                    \(index == 599 ? "test.write" : "test.linger"), 'celery', 5, '{}', 1, 'running', 1, 5, 0, \
                    \(platform.now + .milliseconds(index)), \(platform.now), 'w', \(platform.now))
                    """)
            }
            platform.advance(by: .seconds(48 * 3_600))
            let (name, list) = ("celery_task_history_persistent", "executions")
            let named = try await platform.call(name, ["status": "STARTED", "task_name": "test.write"])
            #expect(Self.texts(named, list, "id") == [ids[599].description])
            let two = try await platform.call(name, ["status": "STARTED", "limit": 2])
            #expect(Self.texts(two, list, "id") == [ids[599].description, ids[598].description])
            #expect(two["left_out"]?.stringValue?.isEmpty == false)
            let short = try await platform.call(
                "celery_task_history", ["state": "STARTED", "task_name": "test.write"])
            #expect(Self.texts(short, "tasks", "task_id") == [ids[599].description])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAttemptBelongsToTheWindowThatItEndedIn(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let gate = "long \(dialect)"
            try await Self.enqueue(platform, TestJobs.Linger(gate))
            async let drained = platform.drainJobs()
            await Gate.named(gate).arrived()
            platform.advance(by: .seconds(2 * 3_600))
            await Gate.named(gate).open()
            #expect(try await drained == 1)
            // Into the next minute, and to the last instant at which the window holds it.
            for (wait, count) in [(60, 1), (58 * 60, 1), (3 * 60, 0)] {
                platform.advance(by: .seconds(wait))
                let list = try await platform.call("celery_task_history_persistent", ["since_hours": 1])
                #expect(list["count"]?.intValue == count, "after \(wait) s")
                let history = try await platform.call("celery_task_history", ["hours": 1])
                #expect(history["count"]?.intValue == count, "after \(wait) s")
                let stats = try await platform.call("celery_task_stats", ["since_hours": 1])
                #expect(stats["stats"]?[0]?["total_count"]?.intValue == (count == 1 ? 1 : nil))
                let queues = try await platform.call("celery_queue_depth")
                let queue = Self.row(queues, "queues", "celery")
                #expect(queue?["throughput_per_minute"]?.doubleValue == (wait == 60 ? 0.2 : 0))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func statisticsEqualWhatTheRowsSay(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let seed = SeededGenerator.randomSeed()
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<30 {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: try await Self.enqueue(platform, TestJobs.Write("a"))
                case 1: try await Self.enqueue(platform, TestJobs.Stumble("discard"))
                default: try await Self.enqueue(platform, TestJobs.Stumble("retry"))
                }
                if Bool.random(using: &generator) { try await platform.drainJobs() }
                platform.advance(by: .seconds(Int.random(in: 0...90, using: &generator)))
                if Bool.random(using: &generator) { try await platform.seal() }
            }
            try await platform.finishJobs()
            let stats = try await platform.call("celery_task_stats")
            for name in ["test.write", "test.stumble"] {
                let stat = Self.row(stats, "stats", name, key: "task_name")
                for (key, outcomes) in [
                    ("total_count", "'completed', 'discarded', 'retryable'"),
                    ("success_count", "'completed'"),
                    ("failure_count", "'discarded'"), ("retry_count", "'retryable'"),
                ] {
                    let rows = try await platform.count(
                        "task_executions",
                        where: SQL("task_name = \(name) AND outcome IN (\(raw: outcomes))"))
                    #expect((stat?[key]?.intValue ?? 0) == rows, "\(name) \(key), seed \(seed)")
                }
            }
            let write = Self.row(stats, "stats", "test.write", key: "task_name")
            if write != nil { #expect(write?["success_rate"]?.doubleValue == 1) }
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneFailedJobIsRetriedAtOnceAndAudited(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await Self.fail(platform)
            let answer = try await platform.call("job_retry", ["job_ids": [id], "reason": "fixed it"])
            #expect(answer["count"] == 1)
            #expect(try await platform.drainJobs() == 1)
            #expect(
                try await platform.rows(
                    "SELECT action, resource_id FROM audit_logs WHERE action = 'job.retry'"
                ) == ["action=job.retry resource_id=\(id.stringValue ?? "")"])
            let gone = try await platform.failure(
                "job_retry", ["job_ids": ["01ARZ3NDEKTSV4RRFFQ69G5FAV"], "reason": "nothing"])
            #expect(gone?.code == .notFound)
            let both = try await platform.failure("job_retry", ["reason": "nothing named"])
            #expect(both?.code == .invalidInput)
        }
    }

    @Test(arguments: TestDatabase.available)
    func severalJobsAreShownBeforeTheyAreRetried(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            for _ in 0..<3 { _ = try await Self.fail(platform) }
            let arguments: JSONObject = ["task_name": "test.stumble", "limit": 2, "reason": "fixed it"]
            let preview = try await platform.call("job_retry", arguments)
            #expect(preview["confirmation"]?["required"] == true)
            #expect(try await platform.count("jobs", where: "state = 'discarded'") == 3)
            let done = try await platform.callConfirmed("job_retry", arguments)
            #expect(done["count"] == 2)
            #expect(try await platform.count("jobs", where: "state = 'discarded'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDiscardedJobNeverRunsAndLeavesItsTrace(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("never"))
            let waiting = try await platform.call("celery_task_history", ["state": "PENDING"])
            let id = try #require(waiting["tasks"]?[0]?["task_id"])
            let arguments: JSONObject = ["job_ids": [id], "reason": "not wanted"]
            let preview = try await platform.call("job_discard", arguments)
            #expect(preview["confirmation"]?["required"] == true)
            #expect(try await platform.count("jobs") == 1)
            _ = try await platform.callConfirmed("job_discard", arguments)
            #expect(try await platform.drainJobs() == 0)
            #expect(try await platform.count("job_runs") == 0)
            let history = try await platform.call("celery_task_history")
            #expect(Self.texts(history, "tasks", "state") == ["REVOKED"])
            #expect(try await platform.count("audit_logs", where: "action = 'job.discard'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aJobWhoseWorkerIsGoneEndsAtOnceWhenItIsDiscarded(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(platform, TestJobs.Write("a"), TestJobs.Write("b"))
            try await platform.execute(
                """
                UPDATE jobs SET name = 'test.unheard_of', state = 'running', attempt = 1, worker = 'w', \
                lease_until = \(platform.now)
                """)
            try await platform.execute(
                "UPDATE jobs SET lease_until = \(platform.now + .seconds(60)) WHERE id = (SELECT MAX(id) FROM jobs)"
            )
            platform.advance(by: .seconds(1))
            let ids = try await platform.rows("SELECT id FROM jobs ORDER BY id").map { $0.dropFirst(3) }
            let answer = try await platform.callConfirmed(
                "job_discard",
                ["job_ids": .array(ids.map { .string(String($0)) }), "reason": "nobody knows it"])
            #expect(answer["count"] == 2)
            #expect(answer["stopping"] == [.string(String(ids[1]))])
            #expect(try await platform.rows("SELECT id FROM jobs") == ["id=\(ids[1])"])
            let history = try await platform.call("celery_task_history", ["state": "REVOKED"])
            #expect(Self.texts(history, "tasks", "task_id") == [String(ids[0])])
        }
    }

    @Test(arguments: TestDatabase.available)
    func jobsAreNotEndedWhenOneOfThemCannotBeUndone(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await Self.enqueue(
                platform, TestJobs.Stumble("retry"), TestJobs.Stumble("cannot be undone"),
                TestJobs.Stumble("unreadable"))
            try await platform.execute("UPDATE jobs SET payload = '{}' WHERE payload LIKE '%unreadable%'")
            let ids = try await platform.rows("SELECT id FROM jobs ORDER BY id").map {
                JSONValue.string(String($0.dropFirst(3)))
            }
            let refused = try await platform.failure(
                "job_discard", ["job_ids": .array(ids), "reason": "not wanted"])
            #expect(refused?.code == .conflict && refused?.reason == "job_discard_failed")
            #expect(refused?.message.contains(ids[1].stringValue ?? "?") == true)
            #expect(try await platform.count("jobs") == 3)
            #expect(try await platform.count("job_runs") == 0)
            // One that cannot be read has nothing to undo.
            _ = try await platform.callConfirmed(
                "job_discard", ["job_ids": [ids[0], ids[2]], "reason": "not wanted"])
            #expect(try await platform.count("jobs") == 1)
            #expect(
                try await platform.rows("SELECT job FROM job_runs") == ["job=discarded: not wanted"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theScheduleTellsTrueLastAndNextRuns(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let scheduler = Scheduler(
                platform.features, database: platform.database, environment: platform.environment)
            try await scheduler.tick()
            let fresh = try await platform.call("celery_beat_schedule")
            let entry = try #require(Self.row(fresh, "tasks", "prune-task-history"))
            #expect(entry["schedule"] == "daily at 04:20 UTC")
            #expect(entry["last_run"] == .null)
            let next = try #require(entry["next_run"]?.stringValue)
            #expect(next.contains("T04:20:00"))
            platform.advance(by: .seconds(3 * 86_400))
            let late = try await platform.call("celery_beat_schedule")
            #expect(late["status"] == "degraded")
            try await scheduler.tick()
            try await platform.drainJobs()
            let after = try await platform.call("celery_beat_schedule")
            let ran = try #require(Self.row(after, "tasks", "prune-task-history"))
            #expect(after["status"] == "ok")
            #expect(ran["last_status"] == "SUCCESS")
            #expect(ran["missed_runs"] == 2)
            #expect(ran["last_run"]?.stringValue?.isEmpty == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func paymentHealthIsNotGreenWithoutEvidence(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let answer = try await platform.call("celery_payment_health")
            #expect(answer["healthy"] == .null)
            #expect(answer["overdue_authorizations"] == 0)
            #expect(answer["pending_captures"] == 0)
            #expect(answer["last_task_runs"]?.arrayValue?.count == 3)
            #expect(answer["status"] == "degraded")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aToolTakesTheSameStatementsHoweverMuchThereIs(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            var counts: [[Int]] = []
            for size in [1, 30] {
                for _ in 0..<size {
                    try await Self.enqueue(platform, TestJobs.Write("a"))
                    try await Self.enqueue(platform, TestJobs.Stumble("discard"))
                }
                try await platform.finishJobs()
                try await platform.seal()
                var statements: [Int] = []
                for name in [
                    "celery_worker_status", "celery_queue_depth", "celery_failed_tasks",
                    "celery_task_history", "celery_beat_schedule", "celery_task_history_persistent",
                    "celery_task_stats",
                ] {
                    _ = platform.database.takeStatementCount()
                    _ = try await platform.call(name)
                    statements.append(platform.database.takeStatementCount())
                }
                counts.append(statements)
            }
            #expect(counts[0] == counts[1])
            #expect(counts[0].allSatisfy { $0 <= 5 }, "\(counts)")
        }
    }
}
