import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

@Suite struct PruneHistoryTests {
    @Test(arguments: TestDatabase.available)
    func exactlyWhatIsOlderThanNinetyDaysGoesInBatches(dialect: Dialect) async throws {
        try await QueueTests.with(dialect) { platform in
            let now = platform.now
            let cutoff = now - .seconds(90 * 86_400)
            let old = PruneHistory.batch * 2 + 1
            var rows: [SQL] = []
            for index in 0..<old {
                rows.append(Self.row(cutoff - .milliseconds(1) - .seconds(index), UInt64(index)))
            }
            for index in 0..<3 { rows.append(Self.row(cutoff + .seconds(index), UInt64(index))) }
            let statements = SQL.inserts(
                """
                INSERT INTO task_executions (id, job_id, task_name, queue, attempt, outcome, received_at, \
                started_at, finished_at, duration_ms) VALUES
                """, rows)
            try await platform.database.write { tx in try tx.runMany(statements) }
            try await platform.execute(
                Self.job("discarded", finished: cutoff),
                Self.job("discarded", finished: cutoff - .microseconds(1)),
                Self.job("discarded", finished: nil), Self.job("scheduled", finished: nil),
                """
                INSERT INTO job_windows (unique_key, until)
                VALUES ('open', \(now)), ('over', \(now - .microseconds(1)))
                """,
                Self.worker("gone", now - .seconds(7 * 86_400) - .microseconds(1)),
                Self.worker("here", now - .seconds(7 * 86_400)))

            try await JobQueueTests.enqueue(platform, PruneHistory())
            let before = platform.database.statistics.writes
            #expect(try await platform.drainJobs() == 1)
            // A claim, three of attempts, one of jobs, the outcome, and the claim that finds nothing.
            #expect(platform.database.statistics.writes - before == 7)
            #expect(
                try await platform.count("task_executions", where: "task_name = 'test.write'") == 3)
            #expect(
                try await platform.rows(
                    "SELECT state, finished_at FROM jobs ORDER BY state, finished_at NULLS FIRST")
                    == [
                        "state=discarded finished_at=NULL",
                        "state=discarded finished_at=\(cutoff.microseconds)",
                        "state=scheduled finished_at=NULL",
                    ])
            #expect(try await platform.rows("SELECT unique_key FROM job_windows") == ["unique_key=open"])
            #expect(try await platform.rows("SELECT id FROM job_workers") == ["id=here"])
            #expect(
                try await platform.value(
                    "SELECT result_summary FROM task_executions ORDER BY id DESC LIMIT 1")
                    == "\(old) attempts and 1 jobs deleted")
        }
    }

    private static func row(_ at: Instant, _ number: UInt64) -> SQL {
        let id = ULID(milliseconds: at.microseconds / 1_000, randomHigh: 0, randomLow: number)
        return "(\(id), \(id), 'test.write', 'celery', 1, 'completed', 0, \(at), \(at), 0)"
    }

    private static func job(_ state: String, finished: Instant?) -> SQL {
        let id = ULIDGenerator().next()
        return """
            INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, max_attempts, \
            run_at, created_at, finished_at) VALUES (\(id), 'test.write', 'celery', 5, '{}', 1, \(state), 0, 5, \
            \(TestClock.start + .seconds(60)), 0, \(finished))
            """
    }

    private static func worker(_ id: String, _ heartbeat: Instant) -> SQL {
        """
        INSERT INTO job_workers (id, hostname, pid, queues, concurrency, active, processed, started_at, heartbeat_at)
        VALUES (\(id), 'h', 1, '[]', 1, 0, 0, 0, \(heartbeat))
        """
    }
}
