import Kernel
import Server
import Storage
import TestSupport
import Testing

/// What `doctor jobs` finds on a running server.
@Suite struct DoctorTests {
    private static func consumers(_ server: TestServer) async throws -> Examination.Finding? {
        try await Examination.jobs(server.platform).first { $0.name == "consumers" }
    }

    @Test(arguments: TestDatabase.available)
    func aQueueThatNobodyTakesFromIsNamedOnceJobsWaitInIt(dialect: Dialect) async throws {
        try await TestServer.run(dialect) {
            $0.workerQueues = [Queue("payments", concurrency: 4), .webhooks]
        } _: { server in
            let (database, worker) = (server.platform.database, server.platform.worker)
            await worker.renewAndRescue()
            let row = try await database.read { db in
                try db.value("SELECT queues FROM job_workers WHERE id = \(worker.id)", as: String.self)
            }
            #expect(row == #"["payments","webhooks"]"#)
            #expect(try await Self.consumers(server)?.state == .good)
            try await database.write { tx in
                for (id, queue) in [("a", "email"), ("b", "celery"), ("c", "privacy")] {
                    try tx.run(
                        """
                        INSERT INTO jobs (id, name, queue, priority, payload, payload_version, state, attempt, \
                        max_attempts, run_at, created_at) VALUES (\(id), 'nobody.knows', \(queue), 5, '{}', 1, \
                        'available', 0, 5, 0, 0)
                        """)
                }
                try tx.run("INSERT INTO job_queues (name, paused_at) VALUES ('privacy', 1)")
            }
            let found = try await Self.consumers(server)
            #expect(found?.state == .bad)
            #expect(found?.detail.hasSuffix(": celery, email") == true, "\(found?.detail ?? "")")
        }
    }
}
