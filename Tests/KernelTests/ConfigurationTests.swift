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
