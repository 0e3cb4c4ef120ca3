import Kernel
import Storage

// The questions of the tools over the history, at whatever volume it has.
extension Bench {
    /// `history [--rounds n]`: what each takes on one connection, p50 and p99.
    func history() async throws {
        let rounds = max(10, options.number("rounds", 200))
        let name: String? = try await database.read {
            try $0.value("SELECT task_name FROM task_executions ORDER BY id DESC LIMIT 1")
        }
        let (last, task) = (environment.now(), name ?? "")
        let columns = TaskExecution.columns
        let day = ULID.first(at: last - .seconds(86_400)).description
        let questions: [(String, @Sendable (Snapshot) throws -> Void)] = [
            (
                "last 50",
                { db in
                    _ =
                        try db.all("SELECT \(columns) FROM task_executions ORDER BY id DESC LIMIT 50")
                        as [TaskExecution]
                }
            ),
            (
                "last 50 of a name",
                { db in
                    _ =
                        try db.all(
                            """
                            SELECT \(columns) FROM task_executions WHERE task_name = \(task) AND id >= \(day)
                            ORDER BY id DESC LIMIT 50
                            """) as [TaskExecution]
                }
            ),
            (
                "last 50 failed",
                { db in
                    _ =
                        try db.all(
                            """
                            SELECT \(columns) FROM task_executions WHERE outcome = 'discarded' AND id >= \(day)
                            ORDER BY id DESC LIMIT 50
                            """) as [TaskExecution]
                }
            ),
            (
                "counts of a day",
                { db in
                    _ = try TaskExecution.tally.counts(
                        from: last - .seconds(86_400), to: last, filters: [], db)
                }
            ),
            (
                "counts of 90 days",
                { db in
                    _ = try TaskExecution.tally.counts(
                        from: last - TaskExecution.retention, to: last, filters: [], db)
                }
            ),
            (
                "depth of every queue",
                { db in
                    for queue in Queue.all {
                        _ = try db.value(
                            """
                            SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state = 'available'
                            AND queue = \(queue.name) LIMIT 10000) AS waiting
                            """, as: Int.self)
                    }
                }
            ),
        ]
        for (what, ask) in questions {
            var times: [Duration] = []
            for _ in 0..<rounds {
                let start = ContinuousClock.now
                try await database.read { try ask($0) }
                times.append(ContinuousClock.now - start)
            }
            print("{\"what\": \"\(what)\", ", terminator: "")
            print("\"p50_ms\": \(times.percentile(0.5)), \"p99_ms\": \(times.percentile(0.99))}")
        }
    }
}
