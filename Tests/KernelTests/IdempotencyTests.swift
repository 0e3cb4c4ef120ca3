import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct IdempotencyTests {
    static func set(_ value: Int, key: String = "k1", which: String = "a") -> JSONObject {
        ["which": .string(which), "value": .int(value), "idempotency_key": .string(key)]
    }

    @Test(arguments: TestDatabase.available)
    func theSameKeyAndArgumentsActOnceAndAnswerTheSame(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            let first = try await platform.runner.call("test_set", Self.set(5), platform.context())
            platform.advance(by: .seconds(3_600))
            let second = try await platform.runner.call("test_set", Self.set(5), platform.context())
            #expect(!first.isRepeat)
            #expect(second.isRepeat)
            #expect(first.bytes == second.bytes)
            #expect(try await platform.count("runs") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHundredCallsAtOnceWithOneKeyActOnce(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await platform.runner.call("test_set", Self.set(5), platform.context())
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.bytes)).count == 1)
            #expect(answers.filter { !$0.isRepeat }.count == 1)
            #expect(try await platform.count("runs") == 1)
            #expect(try await platform.count("audit_logs", where: "action = 'number.set'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHundredConfirmedCallsAtOnceWithOneKeyActOnce(dialect: Dialect) async throws {
        try await ConfirmationTests.with(dialect) { platform, token in
            let arguments = ConfirmationTests.wipe(token).merging(["idempotency_key": "k1"])
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await platform.runner.call("test_wipe", arguments, platform.context())
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.bytes)).count == 1)
            #expect(answers.filter { !$0.isRepeat }.count == 1)
            #expect(try await platform.count("audit_logs", where: "action = 'number.wipe'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func otherArgumentsUnderTheSameKeyAreAConflict(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", Self.set(5))
            let failure = try await platform.failure("test_set", Self.set(6))
            #expect(failure?.code == .conflict)
            #expect(failure?.reason == "idempotency_key_reused")
            #expect(try await platform.value("SELECT value FROM numbers") == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aKeyIsOfOneActorAndOneOperation(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", Self.set(5))
            var other = platform.reader
            other.scopes = [.read, .write]
            _ = try await platform.call("test_set", Self.set(6), as: other)
            #expect(try await platform.value("SELECT value FROM numbers") == 6)
            _ = try await platform.callConfirmed("test_wipe", ["which": "a", "idempotency_key": "k1"])
            #expect(try await platform.count("numbers") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFailedCallDoesNotTakeItsKey(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", Self.set(5, key: "k0", which: "b"))
            // 5 is taken by b, a violation that has nothing to do with the key.
            #expect(try await platform.failure("test_set", Self.set(5))?.code == .internal)
            _ = try await platform.call("test_set", ["which": "b", "value": 9])
            _ = try await platform.call("test_set", Self.set(5))
            #expect(try await platform.value("SELECT value FROM numbers WHERE id = 'a'") == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anExpiredKeyIsFreeAgain(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", Self.set(5))
            _ = try await platform.call("test_set", Self.set(7, key: "old", which: "c"))
            platform.advance(by: .seconds(7 * 86_400 - 1))
            #expect(try await platform.failure("test_set", Self.set(6))?.reason == "idempotency_key_reused")
            platform.advance(by: .seconds(1))
            #expect(try await platform.call("test_set", Self.set(6))["value"] == 6)
            #expect(try await platform.value("SELECT value FROM numbers WHERE id = 'a'") == 6)
            // Others that expired are gone too.
            #expect(try await platform.count("idempotency_keys") == 1)
        }
    }
}
