import Features
import JSON
import Kernel
import Storage
import Testing

/// A Flower that does not answer: never a zero, always a remedy.
@Suite struct FlowerOutageTests {
    static let outages: [(name: String, answer: FakeFlower.Answer, remedy: String)] = [
        ("down", .problem(.unreachable), "check that it runs"),
        ("slow", .problem(.timedOut), "within"),
        ("endless", .problem(.tooLarge), "ask for fewer tasks"),
        ("wrong password", .text(401, ""), "CELERY_FLOWER_PASSWORD"),
        ("forbidden", .text(403, ""), "CELERY_FLOWER_PASSWORD"),
        ("other server", .text(404, "not here"), "url_prefix"),
        ("broken", .text(500, "<html>secret</html>"), "see its log"),
        ("odd status", .text(302, ""), "CELERY_FLOWER_URL"),
        ("login page", .text(200, "<html>secret</html>"), "login page"),
        ("cut JSON", .text(200, #"{"secret": "#), "not JSON"),
        ("other JSON", .text(200, #"["secret"]"#), "answered without"),
        ("other tasks", .text(200, #"{"secret": 1}"#), ""),
    ]

    static func answers(_ monitor: TaskMonitor) async throws -> [String: JSONValue] {
        let now = FlowerMonitorTests.now
        return try [
            "workers": JSONCoding.value(await monitor.workers(now)),
            "queues": JSONCoding.value(await monitor.queues(now)),
            "failed": JSONCoding.value(await monitor.failedTasks(50, now)),
            "active": JSONCoding.value(await monitor.activeTasks(now)),
            "history": JSONCoding.value(await monitor.history(TaskHistoryFilter(), now)),
            "schedule": JSONCoding.value(await monitor.schedule(now)),
            "runs": JSONCoding.value(await monitor.lastRuns(["a", "b"], now)),
        ]
    }

    @Test(arguments: outages.indices)
    func anOutageIsUnknownEverywhereWithARemedyAndWithoutANumber(index: Int) async throws {
        let outage = Self.outages[index]
        let monitor = try FlowerMonitorTests.monitor(FakeFlower { _, _ in outage.answer })
        for (name, answer) in try await Self.answers(monitor) {
            // A map of a worker named "secret" that says nothing is an answer.
            if outage.name == "other tasks", ["workers", "schedule"].contains(name) { continue }
            #expect(answer["status"] == "unknown", "\(outage.name): \(name)")
            let problem = try #require(answer["problem"]?.stringValue, "\(outage.name): \(name)")
            #expect(problem.contains(outage.remedy), "\(outage.name): \(problem)")
            #expect(!answer.text.contains("secret"), "nothing that it wrote is shown")
            #expect(answer["observed_at"]?.isNull == true && answer["checked_at"]?.isNull == false)
            for count in ["count", "total_depth"] where answer[count] != nil {
                #expect(answer[count]?.isNull == true, "\(outage.name): \(name).\(count)")
            }
            let summary = answer["summary"]?.objectValue?.values ?? []
            #expect(summary.allSatisfy { $0.isNull }, "\(outage.name)")
        }
    }

    @Test func aLoginThatIsMissingIsTold() async throws {
        let flower = FakeFlower { _, _ in .text(401, "") }
        let report = try await FlowerMonitorTests.monitor(flower, user: nil, password: nil)
            .workers(FlowerMonitorTests.now)
        #expect(report.problem?.contains("FLOWER_UNAUTHENTICATED_API") == true)
        #expect(flower.requests.allSatisfy { $0.headers.isEmpty })
    }

    @Test func theLoginIsSentAsBasicAuthentication() async throws {
        let flower = FakeFlower()
        _ = try await FlowerMonitorTests.monitor(flower).queues(FlowerMonitorTests.now)
        #expect(flower.requests.allSatisfy { $0.headers.first?.1 == "Basic YWRtaW46czNjcmV0" })
        #expect(flower.requests.allSatisfy { $0.timeout <= .seconds(10) && $0.method == .get })
        let address = try #require(ServiceURL(parsing: "https://me:p%40ss@flower:5555/up/"))
        #expect(
            address.base == "https://flower:5555/up" && address.user == "me" && address.password == "p@ss")
        let other = FakeFlower()
        let monitor = TaskMonitor.flower(FlowerClient(address, clients: other.clients))
        _ = try await monitor.failedTasks(1, FlowerMonitorTests.now)
        #expect(other.requests.contains { $0.headers.first?.1 == "Basic bWU6cEBzcw==" })
        #expect(!other.requests.contains { $0.url.contains("p%40ss") })
    }

    /// A cancelled caller is not told of an outage.
    @Test func cancellationIsNoOutage() async throws {
        let clients = Clients(send: { _ in throw CancellationError() })
        let address = try #require(ServiceURL(parsing: "http://flower:5555"))
        await #expect(throws: CancellationError.self) {
            _ = try await TaskMonitor.flower(FlowerClient(address, clients: clients))
                .workers(FlowerMonitorTests.now)
        }
    }

    @Test(arguments: ["flower:5555", "ftp://flower", "http://", "http://:80", "http://a b", "http://a?x=1"])
    func whatIsNoAddressIsRefusedAtStart(text: String) {
        #expect(ServiceURL(parsing: text) == nil)
        #expect(throws: Failure.self) {
            try Configuration.load { $0 == "CELERY_FLOWER_URL" ? text : nil }
        }
    }

    @Test func aUserWithoutAPasswordIsRefusedAtStartAndSecretsAreHidden() throws {
        #expect(throws: Failure.self) {
            try Configuration.load { $0 == "CELERY_FLOWER_USER" ? "admin" : nil }
        }
        let values = [
            "CELERY_FLOWER_URL": "http://u:hidden@flower:5555", "CELERY_FLOWER_USER": "admin",
            "CELERY_FLOWER_PASSWORD": "hidden",
        ]
        let configuration = try Configuration.load { values[$0] }
        #expect(configuration.celeryFlower?.description == "http://flower:5555")
        #expect(!configuration.redacted.contains { $0.value.contains("hidden") })
    }
}
