import Features
import JSON
import Kernel
import Storage
import Testing

/// How Flower's answers become ours, on recorded answers of a real one.
@Suite struct FlowerMonitorTests {
    /// Two seconds after the recorded inspection.
    static let now = Instant(microseconds: 1_795_400_485_693_329)

    static func monitor(
        _ flower: FakeFlower = FakeFlower(), user: String? = "admin", password: String? = "s3cret"
    ) throws -> TaskMonitor {
        let address = try #require(ServiceURL(parsing: "http://flower:5555/"))
        return .flower(FlowerClient(address, user: user, password: password, clients: flower.clients))
    }

    @Test func aWorkerShowsItsLoadAndWhenItSaidSo() async throws {
        let report = try await Self.monitor().workers(Self.now)
        #expect(report.status == .ok && report.problem == nil && report.source == .flower)
        let worker = try #require(report.workers.first)
        #expect(worker.hostname == "w1@test" && worker.status == .online)
        #expect(worker.activeTasks == 1 && worker.concurrency == 2)
        #expect(worker.queues == ["celery", "payments"])
        let totals = FakeFlower.recording["workers"]?["w1@test"]?["stats"]?["total"]?.objectValue
        #expect(worker.processedTotal == totals?.values.compactMap(\.intValue).reduce(0, +))
        #expect(worker.observedAt == Self.now - .seconds(2))
        #expect(report.summary.totalWorkers == 1 && report.summary.onlineWorkers == 1)
        #expect(report.summary.offlineWorkers == 0 && report.summary.totalActiveTasks == 1)
    }

    @Test func aWorkerWithoutAHeartbeatIsOfflineAlthoughItIsListed() async throws {
        let flower = FakeFlower { path, query in
            path == "/api/workers" && query["status"] != nil ? .json(["w1@test": false]) : nil
        }
        let report = try await Self.monitor(flower).workers(Self.now)
        #expect(report.workers.map(\.status) == [.offline])
        #expect(report.workers.first?.activeTasks == nil, "old figures are no figures")
        #expect(report.summary.onlineWorkers == 0 && report.summary.offlineWorkers == 1)
        #expect(report.status == .degraded && report.problem?.contains("w1@test") == true)
        #expect(!flower.requests.contains { $0.url.contains("refresh") }, "nobody could answer it")
    }

    @Test func aWorkerThatFlowerHasNeverInspectedIsShown() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, query in
                guard path == "/api/workers" else { return nil }
                return .json(query["status"] != nil ? ["new@host": true] : [:])
            }
        ).workers(Self.now)
        #expect(report.workers.map(\.hostname) == ["new@host"] && report.workers[0].status == .online)
        #expect(report.workers[0].activeTasks == nil && report.workers[0].processedTotal == nil)
        #expect(report.summary.totalActiveTasks == nil && report.status == .degraded)
    }

    @Test func aWorkerWithoutEventsIsOnlineIfItAnswers() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, query in
                path == "/api/workers" && query["status"] != nil ? .json([:]) : nil
            }
        ).workers(Self.now)
        #expect(report.workers.map(\.status) == [.online] && report.workers[0].activeTasks == 1)
    }

    @Test func anInspectionThatFailsLeavesOldFiguresOutAndSaysSo() async throws {
        let report = try await Self.monitor(
            FakeFlower { _, query in query["refresh"] != nil ? .problem(.timedOut) : nil }
        ).workers(Self.now)
        #expect(report.status == .degraded && report.problem?.contains("could not be inspected") == true)
        #expect(report.workers.map(\.status) == [.online] && report.workers[0].activeTasks == nil)
        #expect(report.summary.onlineWorkers == 1 && report.summary.totalActiveTasks == nil)
    }

    @Test func aDepthIsTheNumberOfMessagesAndConsumersAreCounted() async throws {
        let report = try await Self.monitor().queues(Self.now)
        #expect(report.queues.map(\.name) == ["celery", "payments"])
        #expect(report.queues.map(\.depth) == [1, 3] && report.totalDepth == 4)
        #expect(report.queues.map(\.consumers) == [1, 1] && report.status == .ok)
        #expect(report.queues.allSatisfy { $0.oldestAgeSeconds == nil })
    }

    @Test func aQueueThatNobodyTakesFromIsSaid() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, query in
                path == "/api/workers" && query["status"] != nil ? .json(["w1@test": false]) : nil
            }
        ).queues(Self.now)
        #expect(report.queues.map(\.consumers) == [0, 0] && report.totalDepth == 4)
        #expect(report.status == .degraded && report.problem?.contains("celery, payments") == true)
    }

    @Test func aQueueThatCouldNotBeCountedIsNotEmpty() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, _ in
                path == "/api/queues/length"
                    ? .json(["active_queues": [["name": "celery", "messages": 5], ["name": "odd"]]]) : nil
            }
        ).queues(Self.now)
        #expect(report.queues.map(\.depth) == [5, nil] && report.totalDepth == nil)
    }

    /// Over RabbitMQ Flower answers an empty list when it cannot count.
    @Test func noQueuesAtAllIsUnknown() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, _ in
                path == "/api/queues/length" ? .json(["active_queues": []]) : nil
            }
        ).queues(Self.now)
        #expect(report.status == .unknown && report.totalDepth == nil)
        #expect(report.problem?.contains("--broker_api") == true)
    }

    @Test func aNewWorkersQueuesAreCountedAtOnce() async throws {
        let flower = FakeFlower { path, query in
            guard path == "/api/workers", query.isEmpty else { return nil }
            return .json([:])
        }
        let report = try await Self.monitor(flower).queues(Self.now)
        #expect(report.queues.map(\.consumers) == [1, 1])
        let order = flower.requests.map(\.url)
        let refresh = try #require(order.lastIndex { $0.contains("refresh") })
        #expect(order[refresh...].contains { $0.hasSuffix("/api/queues/length") }, "counted anew afterwards")
    }

    @Test func aFailureShowsWhenItFailedAndNoSecret() async throws {
        let report = try await Self.monitor().failedTasks(50, Self.now)
        #expect(report.count == 1 && report.leftOut == nil && report.status == .ok)
        let failure = try #require(report.failedTasks.first)
        #expect(failure.taskName == "shop.boom" && failure.queue == "celery")
        #expect(failure.failedAt == Instant(microseconds: 1_795_400_470_605_935))
        #expect(failure.taskArgs == nil && failure.taskKwargs == nil && failure.retries == 0)
        let traceback = try #require(failure.traceback)
        #expect(traceback.hasPrefix("Traceback") && traceback.count <= 1_003)
        for text in [failure.exception ?? "", traceback] {
            #expect(!text.contains("hunter2secret") && !text.contains("\u{202E}"))
        }
        #expect(report.observedSince == Instant(microseconds: 1_795_400_463_830_000))
    }

    @Test func whatRunsNowIsWhatTheWorkerSaidNow() async throws {
        let report = try await Self.monitor().activeTasks(Self.now)
        #expect(report.count == 1 && report.orphanedTasks.isEmpty && report.status == .ok)
        let task = try #require(report.tasks.first)
        #expect(task.taskName == "shop.slow" && task.worker == "w1@test" && task.args == "[30]")
        #expect(task.kwargs == nil && task.queue == "celery")
        #expect(task.runningSeconds.map { $0 > 6 && $0 < 7 } == true)
    }

    @Test func aTaskOfAWorkerThatIsGoneIsAnOrphan() async throws {
        let report = try await Self.monitor(
            FakeFlower { path, query in
                path == "/api/workers" && query["status"] != nil ? .json(["w1@test": false]) : nil
            }
        ).activeTasks(Self.now)
        #expect(report.count == 0 && report.orphanedTasks.map(\.taskName) == ["shop.slow"])
        #expect(report.status == .degraded && report.problem?.contains("1 started on a worker") == true)
    }

    /// A worker that was killed and started again under its name.
    @Test func aTaskThatItsWorkerDoesNotRunIsAnOrphan() async throws {
        var workers = try #require(FakeFlower.recording["workers"]?.objectValue)
        var worker = try #require(workers["w1@test"]?.objectValue)
        worker["active"] = []
        workers["w1@test"] = .object(worker)
        let fresh = workers
        let report = try await Self.monitor(
            FakeFlower { _, query in query["refresh"] != nil ? .json(.object(fresh)) : nil }
        ).activeTasks(Self.now)
        // It began 4.5 s before the inspection: its event may have overtaken the worker's answer.
        #expect(report.count == 1 && report.orphanedTasks.isEmpty)
        worker["timestamp"] = .double(1_795_400_490)
        workers["w1@test"] = .object(worker)
        let later = workers
        let second = try await Self.monitor(
            FakeFlower { _, query in query["refresh"] != nil ? .json(.object(later)) : nil }
        ).activeTasks(Self.now)
        #expect(second.count == 0 && second.orphanedTasks.count == 1)
    }

    @Test func historyIsNewestFirstAndHoldsWhatStillWaits() async throws {
        let report = try await Self.monitor().history(TaskHistoryFilter(), Self.now)
        #expect(report.count == 8 && report.leftOut == nil)
        #expect(report.tasks.first?.state == "PENDING" && report.tasks.first?.receivedAt == nil)
        let times = report.tasks.dropFirst().compactMap(\.receivedAt)
        #expect(times.count == 7 && times == times.sorted(by: >))
        let add = try #require(report.tasks.first { $0.taskName == "shop.add" && $0.state == "SUCCESS" })
        #expect(add.result == "3" && add.retries == 0)
        #expect(add.runtimeSeconds.map { $0 > 0 && $0 < 1 } == true)
        let start = try #require(add.startedAt)
        #expect(add.receivedAt.map { $0 <= start } == true && add.succeededAt.map { start <= $0 } == true)
        #expect(report.tasks.first { $0.taskName == "shop.flaky" }?.retries == 2)
        #expect(report.tasks.first { $0.taskName == "shop.later" }?.state == "RETRY")
    }

    @Test func aHistoryFromBeforeFlowerBeganIsDegraded() async throws {
        let report = try await Self.monitor().history(TaskHistoryFilter(hours: 1), Self.now)
        #expect(report.status == .degraded && report.problem?.contains("forgets at every restart") == true)
        let longAgo = FakeFlower { path, _ in
            path == "/metrics" ? .text(200, "a 1\nprocess_start_time_seconds 1.7e+09\n") : nil
        }
        let complete = try await Self.monitor(longAgo).history(TaskHistoryFilter(hours: 1), Self.now)
        #expect(complete.status == .ok && complete.count == 8)
    }

    @Test func theWindowIsExactAndTheLimitIsSaid() async throws {
        let late = Self.now + .seconds(3_600 - 10)
        let report = try await Self.monitor().history(TaskHistoryFilter(hours: 1), late)
        let start = late - .seconds(3_600)
        #expect(report.windowStart == start)
        #expect(report.count == 5 && report.tasks.allSatisfy { $0.receivedAt.map { $0 >= start } ?? true })
        let two = try await Self.monitor().history(TaskHistoryFilter(limit: 2), Self.now)
        #expect(two.count == 2 && two.leftOut?.contains("these 2") == true)
    }

    /// Flower takes a parameter that it does not know for none.
    @Test func whatTheFilterDoesNotMatchIsDropped() async throws {
        let deaf = FakeFlower { path, _ in
            path == "/api/tasks" ? .json(.object(FakeFlower.tasks([:]))) : nil
        }
        let filter = TaskHistoryFilter(taskName: "shop.add", state: "success")
        let report = try await Self.monitor(deaf).history(filter, Self.now)
        #expect(report.tasks.map(\.taskName) == ["shop.add"] && report.filtersApplied.state == "SUCCESS")
        let flower = FakeFlower()
        _ = try await Self.monitor(flower).history(filter, Self.now)
        #expect(flower.requests.contains { $0.url.contains("taskname=shop.add&state=SUCCESS") })
        await #expect(throws: Failure.self) {
            _ = try await Self.monitor().history(TaskHistoryFilter(taskName: "a<b"), Self.now)
        }
    }

    /// As a real Flower showed a task that was tried again at once.
    @Test(arguments: ["SUCCESS", "FAILURE"])
    func aRetryThatIsHeardAfterTheEndDoesNotHideTheEnd(state: String) async throws {
        let name = state == "SUCCESS" ? "shop.flaky" : "shop.boom"
        let found = try #require(FakeFlower.tasks(["taskname": name]).first { _ in true })
        var task = try #require(found.value.objectValue)
        task["state"] = "RETRY"
        let end = try #require(task[state == "SUCCESS" ? "succeeded" : "failed"]?.doubleValue)
        task["retried"] = .double(end + 0.002)
        let (id, overtaken) = (found.key, JSONValue.object(task))
        let flower = FakeFlower { path, query in
            guard path == "/api/tasks" else { return nil }
            return .json(query["state"] == "RETRY" || query["state"] == nil ? [id: overtaken] : [:])
        }
        let monitor = try Self.monitor(flower)
        for filter in [TaskHistoryFilter(), TaskHistoryFilter(state: state)] {
            #expect(try await monitor.history(filter, Self.now).tasks.map(\.state) == [state])
        }
        #expect(try await monitor.history(TaskHistoryFilter(state: "RETRY"), Self.now).count == 0)
        #expect(try await monitor.failedTasks(5, Self.now).count == (state == "FAILURE" ? 1 : 0))
    }

    @Test func lastRunsAreThoseOfTheNamesAsked() async throws {
        let names = ["app.tasks.payment_tasks.capture_completed_lessons", "shop.add", "shop.nothing"]
        let report = try await Self.monitor().lastRuns(names, Self.now)
        #expect(report.runs.map(\.taskName) == names && report.status == .ok)
        #expect(report.runs.map(\.status) == ["SUCCESS", "SUCCESS", nil])
        #expect(report.runs[2].lastRunAt == nil && report.runs[0].lastRunAt != report.runs[1].lastRunAt)
        let partial = FakeFlower { _, query in
            query["taskname"] == "shop.add" ? .text(500, "") : nil
        }
        let second = try await Self.monitor(partial).lastRuns(names, Self.now)
        #expect(second.status == .degraded && second.problem?.contains("1 of 3") == true)
        #expect(second.runs[1].lastRunAt == nil && second.runs[0].lastRunAt != nil)
    }

    @Test func theScheduleIsTheWorkersConfiguration() async throws {
        let report = try await Self.monitor().schedule(Self.now)
        #expect(report.status == .degraded && report.count == 2)
        #expect(report.tasks.map(\.schedule) == ["every 2 seconds", "daily at 03:30, 15:30 UTC"])
        #expect(report.tasks.map(\.lastRun).map { $0 == nil } == [false, true])
        #expect(report.tasks.allSatisfy { $0.nextRun == nil && $0.missedRuns == nil })
        let silent = FakeFlower { path, _ in path == "/api/workers" ? .json([:]) : nil }
        let unknown = try await Self.monitor(silent).schedule(Self.now)
        #expect(unknown.status == .unknown && unknown.count == nil && unknown.problem != nil)
    }
}
