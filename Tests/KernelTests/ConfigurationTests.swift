import Kernel
import Testing

@Suite struct ConfigurationTests {
    static func problems(_ values: [String: String]) -> [String: String] {
        do {
            _ = try Configuration.load { values[$0] }
            return [:]
        } catch let failure as Failure {
            return Dictionary(
                failure.fields.map { ($0.name, $0.problem) }, uniquingKeysWith: { first, _ in first })
        } catch {
            return ["": "\(error)"]
        }
    }

    @Test func everythingThatIsWrongIsReportedAtOnce() {
        let found = Self.problems([
            "PORT": "abc", "RATE_LIMIT_BURST": "0", "LOG_LEVEL": "loud", "AUDIT_SIGNING_KEY": "short",
            "AUDIT_LOG_ORIGIN": "two words", "DATABASE_URL": "mysql://u:hunter2@h/d",
            "CHECKR_WEBHOOK_USER": "u",
        ])
        #expect(
            found.keys.sorted() == [
                "AUDIT_LOG_ORIGIN", "AUDIT_SIGNING_KEY", "CHECKR_WEBHOOK_USER", "DATABASE_URL", "LOG_LEVEL",
                "PORT", "RATE_LIMIT_BURST",
            ])
        #expect(!found.values.contains { $0.contains("hunter2") })
    }

    @Test func aProcessIsToldItsQueues() throws {
        #expect(try Configuration.load { _ in nil }.workerQueues == nil)
        let some = try Configuration.load { $0 == "WORKER_QUEUES" ? "payments=4, webhooks" : nil }
        #expect(some.workerQueues == [Queue("payments", concurrency: 4), .webhooks])
        #expect(some.redacted.contains { $0 == ("WORKER_QUEUES", "payments=4,webhooks=64") })
    }

    @Test(arguments: [
        ("paymnts", "names no queue with 'paymnts'; the queues are celery, payments, notifications"),
        ("email,", "names no queue with ''"), ("email=0", "'email' a whole number from 1 to 1000, not '0'"),
        ("email=", "not ''"), ("email=2=3", "not '2=3'"), ("email=4,celery,email", "names 'email' twice"),
    ])
    func aQueueThatIsNoneOrHasNoNumberIsRefused(text: String, problem: String) {
        let found = Self.problems(["WORKER_QUEUES": text, "PORT": "x"])
        #expect(found["WORKER_QUEUES"]?.contains(problem) == true, "\(found)")
        #expect(found["PORT"] != nil)
    }

    @Test func whatIsRightIsTaken() throws {
        let key = String(repeating: "A", count: 43)
        for url in ["postgres://app@db/x?sslmode=verify-full", "postgresql:///x", "sqlite:/tmp/x"] {
            #expect(
                Self.problems([
                    "DATABASE_URL": url, "LOG_LEVEL": "trace", "AUDIT_SIGNING_KEY": key, "PORT": "0",
                ]) == [:])
        }
        // Unset and empty are the same: a variable of a deployment may be there without a value.
        #expect(Self.problems(["DATABASE_URL": "", "LOG_LEVEL": ""]) == [:])
    }
}
