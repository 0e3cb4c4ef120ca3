import Storage

extension JobQueue {
    /// Returns when none of the jobs is waiting or running any more, or they would not
    /// be soon: after `limit`, or when all that are left run later than that.
    static func ended(_ jobs: [ULID], within limit: Duration, _ database: any Database, _ context: Context)
        async throws
    {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        let last = context.environment.now() + limit
        var pause = Duration.milliseconds(4)
        while clock.now < deadline {
            let open = try await database.read { db in
                try db.value(
                    """
                    SELECT 1 FROM jobs WHERE id \(in: jobs.map(\.description)) AND (state = 'running'
                    OR state IN ('available', 'scheduled') AND run_at <= \(last)) LIMIT 1
                    """, as: Int.self) != nil
            }
            guard open else { return }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }
}
