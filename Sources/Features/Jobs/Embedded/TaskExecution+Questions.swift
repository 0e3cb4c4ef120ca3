import Kernel
import Storage

extension JobRecord {
    /// Its payload as the history would keep it.
    var arguments: String? { TaskExecution.recordable(payload) }
}

extension TaskHistoryFilter {
    /// Where the window begins in our own tables: on a whole minute, as counts do.
    func countStart(_ now: Instant) -> Instant { Tally.floor(start(now)) }
}

extension TaskExecution {
    /// Attempts that ended in the filter's window, the latest first, one more than its limit.
    static func list(_ filter: TaskHistoryFilter, _ now: Instant, _ db: Snapshot) throws -> [TaskExecution] {
        var condition: SQL = "id >= \(ULID.first(at: filter.countStart(now)).description)"
        if let name = filter.taskName { condition += " AND task_name = \(name)" }
        if let state = filter.state {
            let outcomes = Outcome.allCases.filter { $0.state == state }
            guard !outcomes.isEmpty else { return [] }
            // Spelled out, so that both databases see that an index of the others will do.
            let names = outcomes.map { SQL("\(raw: "'\($0.rawValue)'")") }
            condition += " AND outcome IN (" + .joined(names, separator: ", ") + ")"
        }
        return try db.all(
            """
            SELECT \(columns) FROM task_executions WHERE \(condition) ORDER BY id DESC LIMIT \(filter.limit + 1)
            """)
    }

    /// When each of these jobs last succeeded and last failed for good.
    static func latest(_ jobs: [String], _ db: Snapshot) throws -> [String: (
        success: Instant?, failure: Instant?
    )] {
        guard !jobs.isEmpty else { return [:] }
        let names = SQL.joined(jobs.map { "(\($0))" }, separator: ", ")
        func last(_ outcome: SQL) -> SQL {
            """
            (SELECT finished_at FROM task_executions WHERE task_name = names.name AND outcome = \(outcome)
            ORDER BY id DESC LIMIT 1)
            """
        }
        let rows = try db.rows(
            """
            WITH names (name) AS (VALUES \(names))
            SELECT name, \(last("'completed'")), \(last("'discarded'")) FROM names
            """)
        return Dictionary(
            try rows.map { row in
                (
                    try row.get(at: 0, as: String.self),
                    (
                        success: try row.get(at: 1, as: Instant?.self),
                        failure: try row.get(at: 2, as: Instant?.self)
                    )
                )
            }, uniquingKeysWith: { first, _ in first })
    }
}
