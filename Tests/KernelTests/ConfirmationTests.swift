import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct ConfirmationTests {
    /// A platform with the number `a`, which is 5, and the token of a preview of wiping it.
    static func with(
        _ dialect: Dialect, _ body: (_ platform: TestPlatform, _ token: String) async throws -> Void
    ) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 5])
            let preview = try await platform.call("test_wipe", ["which": "a"])
            try await body(platform, try #require(preview["confirmation"]?["confirm_token"]?.stringValue))
        }
    }

    static func wipe(_ token: String, which: String = "a") -> JSONObject {
        ["which": .string(which), "confirm_token": .string(token)]
    }

    @Test(arguments: TestDatabase.available)
    func aPreviewShowsTheEffectsAndChangesNothing(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 5])
            let before = try await platform.tableHash()
            let preview = try await platform.call("test_wipe", ["which": "a"])
            #expect(preview["wiped"] == 5)
            #expect(preview["effects"]?[0]?["action"] == "number.wipe")
            #expect(preview["effects"]?[0]?["changes"]?["value"] == ["old": 5, "new": nil])
            #expect(preview["confirmation"]?["required"] == true)
            #expect(
                preview["confirmation"]?["expires_at"]?.stringValue
                    == (platform.now + .seconds(600)).description)
            #expect(try await platform.tableHash() == before)
            #expect(try await platform.count("confirmations") == 1)
            #expect(
                try await platform.count(
                    "audit_logs",
                    where: "action = 'mcp.test.wipe' AND description LIKE '%awaiting confirmation%'") == 1)
            #expect(try await platform.count("audit_logs", where: "action = 'number.wipe'") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenWorksOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            let answer = try await platform.call("test_wipe", Self.wipe(token))
            #expect(answer["wiped"] == 5)
            #expect(answer["confirmation"] == nil)
            #expect(try await platform.count("numbers") == 0)
            _ = try await platform.call("test_set", ["which": "a", "value": 5])
            let failure = try await platform.failure("test_wipe", Self.wipe(token))
            #expect(failure?.reason == "confirm_token_used")
            #expect(try await platform.count("numbers") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofManyCallsWithOneTokenOneActs(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            let failures = try await withThrowingTaskGroup(of: Failure?.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await platform.failure("test_wipe", Self.wipe(token)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(failures.filter { $0 == nil }.count == 1)
            #expect(failures.compactMap { $0?.reason } == Array(repeating: "confirm_token_used", count: 19))
            #expect(try await platform.count("runs") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenIsNotStoredAsItIs(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            try await platform.seal()
            #expect(try await !platform.dump().contains(token.dropFirst(4)))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenIsForItsActorAlone(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            var other = platform.reader
            other.scopes = [.read, .write]
            let failure = try await platform.failure("test_wipe", Self.wipe(token), as: other)
            #expect(failure?.reason == "confirm_token_invalid")
            #expect(try await platform.count("numbers") == 1)
            // Its owner can still use it.
            #expect(try await platform.failure("test_wipe", Self.wipe(token)) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenIsForItsCallAlone(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            _ = try await platform.call("test_set", ["which": "b", "value": 6])
            let failure = try await platform.failure("test_wipe", Self.wipe(token, which: "b"))
            #expect(failure?.reason == "confirm_token_mismatch")
            let other = try await platform.failure(
                "webhook_replay",
                [
                    "event_id": .string(TestPlatform.booking), "dry_run": false,
                    "confirm_token": .string(token),
                ])
            #expect(other?.reason == "confirm_token_mismatch")
            #expect(try await platform.count("numbers") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenExpires(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            platform.advance(by: .seconds(600))
            let failure = try await platform.failure("test_wipe", Self.wipe(token))
            #expect(failure?.reason == "confirm_token_expired")
            #expect(try await platform.count("numbers") == 1)
        }
        try await Self.with(dialect) { platform, token in
            platform.advance(by: .seconds(599))
            let failure = try await platform.failure("test_wipe", Self.wipe(token))
            #expect(failure == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenIsForTheStateThatWasShown(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            _ = try await platform.call("test_set", ["which": "a", "value": 6])
            let failure = try await platform.failure("test_wipe", Self.wipe(token))
            #expect(failure?.reason == "confirm_state_changed")
            #expect(try await platform.value("SELECT value FROM numbers") == 6)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFailedCallDoesNotUseUpItsToken(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            platform.database.isDown = true
            let failure = try await platform.failure("test_wipe", Self.wipe(token))
            #expect(failure?.code == .unavailable)
            platform.database.isDown = false
            #expect(try await platform.failure("test_wipe", Self.wipe(token)) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMadeUpTokenIsRefused(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, _ in
            let failure = try await platform.failure("test_wipe", Self.wipe("cnf_AAAA"))
            #expect(failure?.reason == "confirm_token_invalid")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDryRunNeedsNoConfirmationAndChangesNothing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, _ in
            let before = try await platform.tableHash(
                without: TestPlatform.recordTables.subtracting(["confirmations"]))
            let answer = try await platform.call("test_wipe", ["which": "a", "dry_run": true])
            #expect(answer["wiped"] == 5)
            #expect(answer["effects"]?[0]?["action"] == "number.wipe")
            #expect(answer["confirmation"] == nil)
            let after = try await platform.tableHash(
                without: TestPlatform.recordTables.subtracting(["confirmations"]))
            #expect(after == before)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oldPromisesAreForgotten(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, token in
            platform.advance(by: .seconds(600 + 86_400))
            _ = try await platform.call("test_wipe", ["which": "a"])
            #expect(try await platform.count("confirmations") == 1)
            #expect(
                try await platform.failure("test_wipe", Self.wipe(token))?.reason == "confirm_token_invalid")
        }
    }
}
