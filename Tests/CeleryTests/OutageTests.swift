import Features
import JSON
import Kernel
import Storage
import Testing

extension FlowerTests {
    /// What happens to the answers when Flower itself is the trouble.
    @Suite(.serialized) struct OutageTests {
        /// All questions at once, as the wire shows their answers.
        private func answers(_ monitor: TaskMonitor) async throws -> [(name: String, value: JSONValue)] {
            let now = Instant.now()
            async let workers = monitor.workers(now)
            async let queues = monitor.queues(now)
            async let failed = monitor.failedTasks(50, now)
            async let active = monitor.activeTasks(now)
            async let history = monitor.history(TaskHistoryFilter(), now)
            async let schedule = monitor.schedule(now)
            async let runs = monitor.lastRuns(["shop.tick"], now)
            return try await [
                ("workers", JSONCoding.value(workers)), ("queues", JSONCoding.value(queues)),
                ("failed", JSONCoding.value(failed)), ("active", JSONCoding.value(active)),
                ("history", JSONCoding.value(history)), ("schedule", JSONCoding.value(schedule)),
                ("runs", JSONCoding.value(runs)),
            ]
        }

        private func expectUnknown(_ monitor: TaskMonitor, remedy: String) async throws {
            for (name, answer) in try await answers(monitor) {
                #expect(answer["status"] == "unknown", "\(name)")
                #expect(answer["problem"]?.stringValue?.contains(remedy) == true, "\(name): \(answer)")
                for count in ["count", "total_depth"] where answer[count] != nil {
                    #expect(answer[count]?.isNull == true, "\(name).\(count)")
                }
                let summary = answer["summary"]?.objectValue?.values ?? []
                #expect(summary.allSatisfy { $0.isNull }, "\(name)")
            }
        }

        @Test func aWrongPasswordIsUnknownWithARemedy() async throws {
            try await expectUnknown(
                Cluster.monitor(password: "not it"),
                remedy: "check CELERY_FLOWER_USER and CELERY_FLOWER_PASSWORD")
        }

        @Test(.timeLimit(.minutes(2))) func aFlowerThatDoesNotAnswerIsUnknownInTime() async throws {
            try await Cluster.control("freeze", "flower")
            try await expectUnknown(Cluster.monitor(), remedy: "did not answer within 10 seconds")
            try await Cluster.control("thaw", "flower")
            try await Cluster.eventually("Flower's return") {
                try await Cluster.monitor().workers(Instant.now())
            } until: {
                $0.summary.onlineWorkers == 1
            }
        }

        @Test func aStoppedFlowerIsUnknownAndAFreshOneSaysWhatItMissed() async throws {
            let monitor = try Cluster.monitor()
            try await Cluster.control("stop", "flower")
            try await expectUnknown(monitor, remedy: "cannot be reached")
            try await Cluster.control("start", "flower")
            let workers = try await Cluster.eventually("Flower's return") {
                try await monitor.workers(Instant.now())
            } until: {
                $0.status == .ok
            }
            #expect(workers.summary.onlineWorkers == 1)
            let history = try await monitor.history(TaskHistoryFilter(), Instant.now())
            #expect(history.status == .degraded)
            #expect(history.problem?.contains("forgets at every restart") == true)
            #expect(try await monitor.queues(Instant.now()).status == .ok)
        }
    }
}
