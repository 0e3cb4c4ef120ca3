import Features
import JSON
import Testing

/// The values of the port, whoever fills them.
@Suite struct TaskMonitorTests {
    /// The keys of the contract, §3; `null` where the value may be missing.
    static func keys<T: Decodable>(_ type: T.Type, _ path: String...) throws -> Set<String> {
        var schema = try JSONCoding.schema(of: type)
        for step in path {
            schema = try #require(schema["properties"]?[step]?["items"] ?? schema["properties"]?[step])
        }
        return Set(try #require(schema["properties"]?.objectValue).keys)
    }

    @Test func everyKeyOfTheContractIsThere() throws {
        let common: Set = ["status", "problem", "source", "observed_at", "checked_at"]
        #expect(try Self.keys(WorkerReport.self).isSuperset(of: common.union(["workers", "summary"])))
        #expect(
            try Self.keys(WorkerReport.self, "workers").isSuperset(of: [
                "hostname", "status", "active_tasks", "processed_total", "concurrency", "queues",
            ]))
        #expect(
            try Self.keys(WorkerReport.self, "summary") == [
                "total_workers", "online_workers", "offline_workers", "total_active_tasks",
            ])
        #expect(try Self.keys(QueueReport.self).isSuperset(of: common.union(["queues", "total_depth"])))
        #expect(try Self.keys(QueueReport.self, "queues").isSuperset(of: ["name", "depth", "consumers"]))
        #expect(try Self.keys(FailedTaskReport.self).isSuperset(of: common.union(["failed_tasks", "count"])))
        #expect(
            try Self.keys(FailedTaskReport.self, "failed_tasks").isSuperset(of: [
                "task_id", "task_name", "queue", "failed_at", "exception", "traceback", "task_args",
                "task_kwargs",
            ]))
        #expect(try Self.keys(ActiveTaskReport.self).isSuperset(of: common.union(["tasks", "count"])))
        #expect(
            try Self.keys(ActiveTaskReport.self, "tasks").isSuperset(of: [
                "task_id", "task_name", "worker", "started_at", "args", "kwargs",
            ]))
        #expect(
            try Self.keys(TaskHistoryReport.self).isSuperset(
                of: common.union(["tasks", "count", "filters_applied"])))
        #expect(
            try Self.keys(TaskHistoryReport.self, "tasks").isSuperset(of: [
                "task_id", "task_name", "state", "received_at", "started_at", "succeeded_at",
                "runtime_seconds",
                "result", "exception", "retries",
            ]))
        #expect(
            try Self.keys(TaskHistoryReport.self, "filters_applied") == [
                "task_name", "state", "hours", "limit",
            ])
        #expect(try Self.keys(ScheduleReport.self).isSuperset(of: common.union(["tasks", "count"])))
        #expect(
            try Self.keys(ScheduleReport.self, "tasks").isSuperset(of: [
                "name", "task", "schedule", "last_run", "next_run", "enabled",
            ]))
        #expect(
            try Self.keys(LastRunReport.self, "runs").isSuperset(of: ["task_name", "last_run_at", "status"]))
    }

    @Test func textIsCutAndEndsInThreeDots() {
        let long = String(repeating: "x", count: 5_000)
        #expect(TaskText.traceback(long) == String(repeating: "x", count: 1_000) + "...")
        #expect(TaskText.result(long)?.count == 503 && TaskText.arguments(long)?.count == 203)
        #expect(TaskText.result(String(repeating: "x", count: 500))?.hasSuffix("...") == false)
        let cut = "password=" + String(repeating: "s", count: 400)
        #expect(TaskText.arguments(cut)?.contains("sss") == false, "a secret is no less one when cut")
    }

    @Test(arguments: ["", "()", "{}", "[]", nil])
    func noArgumentsAreNull(text: String?) { #expect(TaskText.arguments(text) == nil) }

    @Test(
        arguments: [
            (30, "every 30 seconds"), (2, "every 2 seconds"), (0.5, "every 0.5 seconds"),
            (90, "every 90 seconds"),
            (60, "every minute"), (300, "every 5 minutes"), (5_400, "every 90 minutes"),
            (3_600, "every hour"),
            (14_400, "every 4 hours"),
        ] as [(Double, String)])
    func anIntervalInWords(seconds: Double, words: String) {
        #expect(ScheduleText.every(seconds: seconds) == words)
    }

    @Test(arguments: [
        ("*/15 * * * *", "every 15 minutes"), ("0 * * * *", "hourly at :00"), ("30 * * * *", "hourly at :30"),
        ("0 */4 * * *", "every 4 hours"), ("30 3,15 * * *", "daily at 03:30, 15:30 UTC"),
        ("0 3 * * *", "daily at 03:00 UTC"), ("0 1 * * 0", "Sunday at 01:00 UTC"),
        ("0 1 * * sun", "Sunday at 01:00 UTC"), ("0 1 1 * *", "day 1 of month at 01:00 UTC"),
        ("* * * * *", "every minute"), ("0 1 1 6 *", "cron(0 1 1 6 *)"), ("1-5 * * * *", "cron(1-5 * * * *)"),
        ("0 1 1 * 1", "cron(0 1 1 * 1)"), ("x y * * *", "cron(x y * * *)"),
    ])
    func aCronLineInWords(line: String, words: String) {
        let fields = line.split(separator: " ").map(String.init)
        #expect(
            ScheduleText.cron(
                minute: fields[0], hour: fields[1], dayOfMonth: fields[2], month: fields[3],
                dayOfWeek: fields[4]) == words)
    }
}
