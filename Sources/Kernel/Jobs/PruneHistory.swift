import Storage

/// Deletes what the job engine need not keep any longer, a little at a time.
///
/// Attempts and jobs that were given up after ``TaskExecution/retention``; workers
/// that are gone for a week; windows of unique keys that are over.
struct PruneHistory: ScheduledJob {
    static let name = "maintenance.prune_task_history"
    static let queue = Queue.maintenance
    static let priority = 1
    static let timeout = Duration.seconds(600)
    static let batch = 2_000

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("prune-task-history", cron: "20 4 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        let cutoff = now - TaskExecution.retention
        let first = ULID.first(at: cutoff).description
        let executions = try await Self.delete(
            """
            DELETE FROM task_executions WHERE id IN (
                SELECT id FROM task_executions WHERE id < \(first) ORDER BY id LIMIT \(Self.batch))
            """, attempt)
        let jobs = try await Self.delete(
            """
            DELETE FROM jobs WHERE id IN (
                SELECT id FROM jobs WHERE state = 'discarded' AND finished_at < \(cutoff)
                ORDER BY finished_at LIMIT \(Self.batch))
            """, attempt)
        attempt.summarize("\(executions) attempts and \(jobs) jobs deleted")
        try await attempt.settle { tx, _ in
            try tx.run("DELETE FROM job_windows WHERE until < \(now)")
            try tx.run("DELETE FROM job_workers WHERE heartbeat_at < \(now - .seconds(7 * 86_400))")
            return .completed
        }
    }

    /// Runs a statement, each time in a transaction of its own, until it finds no full batch.
    private static func delete(_ statement: SQL, _ attempt: JobAttempt) async throws -> Int {
        var count = 0
        while true {
            let deleted = try await attempt.database.write { tx in try tx.run(statement).affected }
            count += deleted
            guard deleted == batch else { return count }
            try Task.checkCancellation()
        }
    }
}
