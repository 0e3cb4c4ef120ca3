import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Jobs that were in a database before the engine was.
@Suite struct JobUpgradeTests {
    private static let event = "01JWEB00000000000000000001"

    private static func old(
        _ id: Int, _ what: String, _ state: String, attempt: Int = 0, runAt: Instant, lease: Instant? = nil,
        worker: String? = nil, key: String? = nil
    ) -> SQL {
        let id = TestPlatform.id("01JJBS00000000000000000001", id)
        let isOver = state == "discarded"
        let (error, finished): (String?, Instant?) = isOver ? ("it broke", runAt) : (nil, nil)
        let name = what == "event" ? "webhooks.process" : "test.write"
        let payload = what == "event" ? "{\"webhook\":\"\(event)\"}" : "{\"what\":\"\(what)\"}"
        return """
            INSERT INTO jobs (id, name, payload, state, attempt, max_attempts, run_at, lease_until, worker, \
            unique_key, error, request_id, trace_id, created_at, finished_at) VALUES (\(id), \(name), \(payload), \
            \(state), \(attempt), 5, \(runAt), \(lease), \(worker), \(key), \(error), 'req', 'trace', \(runAt), \
            \(finished))
            """
    }

    @Test(arguments: TestDatabase.available)
    func everyJobOfBeforeComesToItsEnd(dialect: Dialect) async throws {
        let features = [TestJobs.feature, ScriptedSource.feature]
        let migrations = allMigrations(features)
        let database = try await TestDatabase.make(dialect)
        let clock = TestClock()
        let now = clock.now
        try await Migrator(migrations.filter { $0.id < "0006" }).migrate(database)
        try await database.write { tx in
            try tx.run(
                """
                INSERT INTO webhook_events (id, source, event_type, event_id, payload, status, received_at, \
                replay_count, attempt_count, delivery_count) VALUES (\(Self.event), 'scripted', 'test.event', 'e1', \
                '{"do":"write"}', 'received', \(now), 0, 0, 1)
                """)
            try tx.run(Self.old(1, "due", "available", runAt: now - .seconds(60)))
            try tx.run(Self.old(2, "later", "available", attempt: 2, runAt: now + .seconds(60)))
            try tx.run(Self.old(3, "event", "available", runAt: now, key: "webhook:\(Self.event)"))
            try tx.run(
                Self.old(
                    4, "held", "running", attempt: 1, runAt: now, lease: now + .seconds(10), worker: "old"))
            try tx.run(
                Self.old(
                    5, "lost", "running", attempt: 2, runAt: now, lease: now - .seconds(10), worker: "dead"))
            try tx.run(Self.old(6, "over", "discarded", attempt: 5, runAt: now - .seconds(60)))
        }
        let applied = try await Migrator(migrations).migrate(database)
        #expect(applied.first == "0105_job_engine")

        let environment = Environment(now: { clock.now }, configuration: Configuration(), features: features)
        let worker = Worker(
            database: database, registry: JobRegistry(features), environment: environment, slots: 8)
        func rows(_ sql: SQL) async throws -> [String] {
            try await database.read { db in try db.rows(sql).map { try $0.text } }
        }
        await worker.renewAndRescue()
        try await worker.drain()
        #expect(
            try await rows("SELECT job FROM job_runs ORDER BY job") == ["job=due", "job=lost"])
        #expect(try await rows("SELECT status FROM webhook_events") == ["status=processed"])
        // The worker of before may still end what it holds; when it does not, others do.
        clock.advance(by: .seconds(11))
        await worker.renewAndRescue()
        try await worker.drain()
        clock.advance(by: .seconds(60))
        try await worker.drain()
        #expect(
            try await rows("SELECT job FROM job_runs ORDER BY job") == [
                "job=due", "job=held", "job=later", "job=lost",
            ])
        #expect(
            try await rows("SELECT state, attempt, error, queue, request_id, finished_at FROM jobs") == [
                "state=discarded attempt=5 error=it broke queue=celery request_id=req "
                    + "finished_at=\((now - .seconds(60)).microseconds)"
            ])
        #expect(
            try await rows(
                "SELECT task_name, queue, attempt, outcome FROM task_executions ORDER BY job_id, attempt")
                == [
                    "task_name=test.write queue=celery attempt=1 outcome=completed",
                    "task_name=test.write queue=celery attempt=3 outcome=completed",
                    "task_name=webhooks.process queue=webhooks attempt=1 outcome=completed",
                    "task_name=test.write queue=celery attempt=1 outcome=retryable",
                    "task_name=test.write queue=celery attempt=2 outcome=completed",
                    "task_name=test.write queue=celery attempt=2 outcome=retryable",
                    "task_name=test.write queue=celery attempt=3 outcome=completed",
                ])
        await database.close()
    }
}
