import Features
import Foundation
import JSON
import Kernel
import Server
import Storage
import Testing

/// The answers about a real cluster: Redis, a Celery worker, beat and Flower.
///
/// One after the other, for some of them end a part of the cluster; each
/// leaves it running.
@Suite(.serialized, .enabled(if: Cluster.isThere, "needs Scripts/with-celery"))
struct FlowerTests {
    private var now: Instant { Instant.now() }

    private func history(
        _ monitor: TaskMonitor, _ name: String? = nil, _ state: String? = nil, limit: Int = 500
    ) async throws -> TaskHistoryReport {
        try await monitor.history(TaskHistoryFilter(taskName: name, state: state, limit: limit), now)
    }

    private func finished(
        _ monitor: TaskMonitor, _ id: String, _ state: String
    ) async throws -> TaskHistoryReport.Row {
        let report = try await Cluster.eventually("\(id) \(state)") {
            try await history(monitor)
        } until: {
            $0.tasks.contains { $0.taskID == id && $0.state == state }
        }
        return try #require(report.tasks.first { $0.taskID == id })
    }

    @Test func everyWayATaskCanEndIsSeen() async throws {
        let monitor = try Cluster.monitor()
        let before = now
        let added = try await Cluster.send("shop.add", [1, 2])
        let failed = try await Cluster.send("shop.boom", ["Ada"])
        let flaky = try await Cluster.send("shop.flaky", [2])
        let later = try await Cluster.send("shop.later")

        let success = try await finished(monitor, added, "SUCCESS")
        #expect(success.taskName == "shop.add" && success.result == "3" && success.retries == 0)
        #expect(success.worker == Cluster.worker && success.queue == "celery" && success.exception == nil)
        let (received, started) = (try #require(success.receivedAt), try #require(success.startedAt))
        #expect(before < received && received <= started)
        #expect(try #require(success.succeededAt) >= started)
        #expect(try #require(success.runtimeSeconds) < 5)
        let retried = try await finished(monitor, flaky, "SUCCESS")
        #expect(retried.retries == 2 && retried.result == "2")
        let waiting = try await finished(monitor, later, "RETRY")
        #expect(waiting.exception?.contains("the provider is closed") == true)

        _ = try await finished(monitor, failed, "FAILURE")
        let failures = try await monitor.failedTasks(50, now)
        let failure = try #require(failures.failedTasks.first { $0.taskID == failed })
        #expect(failures.status == .ok && failure.taskName == "shop.boom")
        #expect(failure.queue == "celery" && failure.taskArgs == #"["Ada"]"# || failure.taskArgs == "['Ada']")
        #expect(try #require(failure.failedAt) > before && failure.taskKwargs == nil)
        #expect(failure.exception?.contains("ValueError") == true)
        #expect(failure.exception?.contains("hunter2secret") == false)
        #expect(failure.traceback?.hasPrefix("Traceback") == true)
        #expect(try #require(failures.observedSince) < before)
    }

    @Test func whatRunsIsActiveOnItsWorkerAndCounted() async throws {
        let monitor = try Cluster.monitor()
        let id = try await Cluster.send("shop.slow", [6])
        let report = try await Cluster.eventually("shop.slow") {
            try await monitor.activeTasks(now)
        } until: {
            $0.tasks.contains { $0.taskID == id }
        }
        let task = try #require(report.tasks.first { $0.taskID == id })
        #expect(task.taskName == "shop.slow" && task.worker == Cluster.worker && task.args == "[6]")
        #expect(task.kwargs == nil && task.startedAt != nil)
        #expect(!report.orphanedTasks.contains { $0.taskID == id })
        let workers = try await monitor.workers(now)
        let worker = try #require(workers.workers.first)
        #expect(workers.status == .ok && worker.status == .online && worker.concurrency == 2)
        #expect(worker.activeTasks ?? 0 >= 1)
        #expect(workers.summary.totalActiveTasks == worker.activeTasks)
        #expect(worker.queues.sorted() == ["celery", "payments"] && worker.processedTotal ?? 0 > 0)
        try await Cluster.eventually("the end of shop.slow") {
            try await monitor.activeTasks(now)
        } until: {
            !$0.tasks.contains { $0.taskID == id }
        }
    }

    @Test func filtersFilter() async throws {
        let monitor = try Cluster.monitor()
        let id = try await Cluster.send("shop.add", [3, 4])
        let failed = try await Cluster.send("shop.boom")
        _ = try await finished(monitor, id, "SUCCESS")
        _ = try await finished(monitor, failed, "FAILURE")
        let adds = try await history(monitor, "shop.add")
        #expect(adds.tasks.contains { $0.taskID == id })
        #expect(adds.tasks.allSatisfy { $0.taskName == "shop.add" })
        let failures = try await history(monitor, nil, "FAILURE")
        #expect(failures.tasks.contains { $0.taskID == failed })
        #expect(failures.tasks.allSatisfy { $0.state == "FAILURE" })
        let none = try await history(monitor, "shop.add", "FAILURE")
        #expect(none.count == 0 && none.status != .unknown)
        #expect(try await history(monitor, "shop").count == 0, "a name is exact")
        let all = try await history(monitor)
        let times = all.tasks.compactMap(\.receivedAt)
        #expect(times.count > 2 && times == times.sorted(by: >))
        let two = try await history(monitor, limit: 2)
        #expect(two.count == 2 && two.leftOut != nil)
    }

    @Test func lastRunsAndTheScheduleAreReal() async throws {
        let monitor = try Cluster.monitor()
        let capture = "app.tasks.payment_tasks.capture_completed_lessons"
        _ = try await finished(monitor, try await Cluster.send(capture), "SUCCESS")
        let runs = try await Cluster.eventually("beat's tick") {
            try await monitor.lastRuns([capture, "shop.tick", "shop.report"], now)
        } until: {
            $0.runs[1].status == "SUCCESS"
        }
        #expect(runs.status == .ok && runs.runs.map(\.status) == ["SUCCESS", "SUCCESS", nil])
        #expect(try #require(runs.runs[0].lastRunAt) > now - .seconds(60))
        #expect(runs.runs[2].lastRunAt == nil)
        let schedule = try await monitor.schedule(now)
        #expect(schedule.status == .degraded && schedule.count == 2)
        let tick = try #require(schedule.tasks.first { $0.task == "shop.tick" })
        #expect(tick.schedule == "every 2 seconds" && tick.nextRun == nil)
        #expect(try #require(tick.lastRun) > now - .seconds(30))
        #expect(schedule.tasks.first { $0.task == "shop.report" }?.schedule == "daily at 03:30, 15:30 UTC")
    }

    @Test func aKilledWorkerIsOfflineWithinSecondsAndItsQueueClimbs() async throws {
        let monitor = try Cluster.monitor()
        let idle = try await monitor.queues(now)
        #expect(idle.status == .ok && idle.queues.map(\.consumers) == [1, 1])
        let slow = try await Cluster.send("shop.slow", [30])
        try await Cluster.eventually("shop.slow") {
            try await monitor.activeTasks(now)
        } until: {
            $0.tasks.contains { $0.taskID == slow }
        }

        try await Cluster.control("kill", "worker")
        let report = try await Cluster.eventually("the worker's death", within: .seconds(15)) {
            try await monitor.workers(now)
        } until: {
            $0.summary.onlineWorkers == 0
        }
        #expect(report.workers.map(\.status) == [.offline] && report.workers[0].activeTasks == nil)
        #expect(report.status == .degraded && report.summary.offlineWorkers == 1)
        #expect(report.problem?.contains(Cluster.worker) == true)
        #expect(try await listed().contains(Cluster.worker), "Flower lists it all the same")

        try await Cluster.control("send", "shop.add", "[1, 1]", "payments", "25")
        let depth = try await monitor.queues(now)
        #expect(depth.queues.first { $0.name == "payments" }?.depth == 25)
        #expect(depth.totalDepth ?? 0 >= 25 && depth.status == .degraded)
        #expect(depth.queues.map(\.consumers) == [0, 0])
        let active = try await monitor.activeTasks(now)
        #expect(active.count == 0 && active.orphanedTasks.contains { $0.taskID == slow })
        let waiting = try await history(monitor, "shop.add", "PENDING")
        #expect(waiting.tasks.filter { $0.queue == "payments" }.count == 25)

        try await Cluster.control("start", "worker")
        try await Cluster.eventually("the worker's return") {
            try await (monitor.workers(now), monitor.queues(now))
        } until: { workers, queues in
            workers.status == .ok && queues.status == .ok
                && queues.queues.first { $0.name == "payments" }?.depth == 0
        }
        let after = try await monitor.activeTasks(now)
        #expect(after.orphanedTasks.contains { $0.taskID == slow }, "its new worker does not run it")
    }

    private func listed() async throws -> [String] {
        let basic = Data("\(Cluster.user):\(Cluster.password)".utf8).base64EncodedString()
        let request = Clients.HTTPRequest(
            .get, Cluster.url + "/api/workers", headers: [("Authorization", "Basic \(basic)")])
        await #expect(throws: Clients.HTTPProblem.tooLarge, "what is read has a limit") {
            var short = request
            short.maximumBytes = 100
            _ = try await Clients.live().send(short)
        }
        let answer = try await Clients.live().send(request)
        return try JSONValue(parsing: answer.body).objectValue?.keys ?? []
    }
}
