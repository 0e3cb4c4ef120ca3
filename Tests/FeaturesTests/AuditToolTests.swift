import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct AuditToolTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect, extra: [TestOperations.feature, ScriptedSource.feature], body)
    }

    static func actions(_ answer: JSONValue) -> [String] {
        answer["entries"]?.arrayValue?.compactMap { $0["action"]?.stringValue } ?? []
    }

    @Test(arguments: TestDatabase.available)
    func everyFilterSelectsByItsColumnAlone(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            _ = try await platform.failure("test_set", ["which": "b", "value": 2], as: platform.reader)
            _ = try await platform.failure("test_wipe", ["which": "gone"])
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            try await platform.finishJobs()
            for sealed in [false, true] {
                if sealed { try await platform.seal() } else { await platform.recorder.flush() }
                for (arguments, expected) in [
                    (["actor_email": "rex@example.com"], ["mcp.test.set"]),
                    (
                        ["actor_id": .string(platform.admin.id ?? "")],
                        ["mcp.test.wipe", "mcp.test.set", "number.set"]
                    ),
                    (["action": "number.set"], ["number.set"]),
                    (["resource_type": "test"], ["test.effect"]),
                    (["resource_type": "number", "resource_id": "a"], ["mcp.test.set", "number.set"]),
                    (["status": "denied"], ["mcp.test.set"]), (["status": "failed"], ["mcp.test.wipe"]),
                    (
                        ["actor_email": ""],
                        ["test.effect", "mcp.test.wipe", "mcp.test.set", "mcp.test.set", "number.set"]
                    ),
                    (["action": "NUMBER.SET"], []),
                ] as [(JSONObject, [String])] {
                    let answer = try await platform.call("audit_search", arguments)
                    // Not what this test itself looked at in its first round.
                    let found = Self.actions(answer).filter { $0 != "mcp.audit.search" }
                    #expect(found.sorted() == expected.sorted(), "\(arguments) sealed: \(sealed)")
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func countsEqualTheRowsOfAllPagesWhateverTheFilters(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var generator = SeededGenerator(seed: seed)
        try await Self.with(dialect) { platform in
            for index in 0..<60 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0:
                    _ = try await platform.failure(
                        "test_set", ["which": "x", "value": 0], as: platform.reader)
                case 1: _ = try await platform.call("test_echo", ["text": "a"])
                case 2: _ = try await platform.failure("test_wipe", ["which": "nothing"])
                case 3:
                    try await platform.deliver(
                        ScriptedSource.self, ScriptedSource.event("e\(index)", "write"))
                default:
                    _ = try await platform.call(
                        "test_set", ["which": .string("n\(index % 3)"), "value": .int(index)])
                }
                if Int.random(in: 0..<5, using: &generator) == 0 { try await platform.drainJobs() }
                if Int.random(in: 0..<8, using: &generator) == 0 { try await platform.seal() }
                platform.clock.set(platform.now + .seconds(.random(in: -50...200, using: &generator)))
            }
            try await platform.drainJobs()
            await platform.recorder.flush()
            let times = try await platform.database.read { db in
                try db.values("SELECT timestamp FROM audit_logs", as: Instant.self)
            }
            for _ in 0..<40 {
                func often() -> Bool { Int.random(in: 0..<4, using: &generator) > 0 }
                func maybe() -> Bool { Bool.random(using: &generator) }
                func one(_ values: String...) -> JSONValue {
                    .string(values.randomElement(using: &generator) ?? "")
                }
                func close() -> Instant {
                    (times.randomElement(using: &generator) ?? platform.now)
                        + .milliseconds(.random(in: -90_000...90_000, using: &generator))
                }
                var arguments: JSONObject = [
                    "limit": .int([1, 7, 100].randomElement(using: &generator) ?? 7)
                ]
                let (start, end) = (close(), close())
                arguments["start_time"] = .string(min(start, end).description)
                if often() { arguments["end_time"] = .string((max(start, end) + .seconds(60)).description) }
                let tool = maybe() ? "audit_search" : "audit_recent_admin_actions"
                if tool == "audit_search" {
                    if !often() { arguments["action"] = one("number.set", "mcp.test.set", "test.effect") }
                    if !often() { arguments["status"] = one("success", "failed", "denied") }
                    if !often() { arguments["resource_type"] = one("number", "mcp", "test") }
                    if Int.random(in: 0..<4, using: &generator) == 0 {
                        arguments["actor_email"] = one("ada@example.com")
                    }
                } else {
                    arguments["include_reads"] = .bool(maybe())
                    arguments["include_automated"] = .bool(maybe())
                }
                let (pages, rows) = try await WebhookListTests.walk(platform, tool, arguments)
                let label = "seed \(seed) \(tool) \(JSONValue.object(arguments).text)"
                for page in pages {
                    #expect(page["meta"]?["total_count"]?.intValue == rows.count, "\(label)")
                }
                let expected = Dictionary(grouping: rows) { $0["action"]?.stringValue ?? "" }.mapValues(
                    \.count)
                let counted = pages[0]["summary"]?["by_action"]?.objectValue ?? [:]
                #expect(
                    Dictionary(uniqueKeysWithValues: counted.map { ($0.key, $0.value.intValue ?? 0) })
                        == expected,
                    "\(label)")
                #expect(
                    rows.map { $0["id"]?.stringValue ?? "" }
                        == rows.map { $0["id"]?.stringValue ?? "" }.sorted(by: >))
                #expect(Set(rows.map { $0["id"] }).count == rows.count, "\(label)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func threeAdminActionsAreFoundAmongAHundredThousandOfUsers(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            platform.advance(by: .seconds(-4_000))
            _ = try await platform.call("test_set", ["which": "before", "value": 1])
            platform.advance(by: .seconds(4_000))
            try await AuditBulk.insert(100_000, into: platform, isPending: false)
            for index in 0..<50 { _ = try await platform.call("test_echo", ["text": "\(index)"]) }
            _ = try await platform.failure("test_set", ["which": "denied", "value": 2], as: platform.reader)
            await platform.recorder.flush()
            let answer = try await platform.call("audit_recent_admin_actions", ["limit": 10])
            #expect(Self.actions(answer) == ["mcp.test.set", "mcp.test.set", "number.set"])
            #expect(answer["meta"]?["total_count"] == 3)
            #expect(answer["meta"]?["counts_are_capped"] == false)
            #expect(answer["meta"]?["next_cursor"] == .null)
            #expect(answer["summary"]?["by_status"] == ["success": 2, "denied": 1])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCountThatWasCutShortSaysSo(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await AuditBulk.insert(1_500, into: platform, isPending: false)
            let answer = try await platform.call(
                "audit_user_activity", ["user_email": "user@example.com", "limit": 5])
            #expect(answer["meta"]?["counts_are_capped"] == true)
            #expect(answer["meta"]?["total_count"] == 1_000)
            #expect(answer["entries"]?.arrayValue?.count == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func readsAndAutomatedWorkAreShownOnlyWhenAskedFor(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            _ = try await platform.call("test_echo", ["text": "a"])
            try await platform.deliver(ScriptedSource.self, ScriptedSource.event("e1", "write"))
            try await platform.finishJobs()
            await platform.recorder.flush()
            let plain = try await platform.call("audit_recent_admin_actions")
            #expect(Set(Self.actions(plain)) == ["mcp.test.set", "number.set"])
            let reads = try await platform.call("audit_recent_admin_actions", ["include_reads": true])
            #expect(Set(Self.actions(reads)).isSuperset(of: ["mcp.test.echo", "number.set"]))
            let automated = try await platform.call("audit_recent_admin_actions", ["include_automated": true])
            #expect(Self.actions(automated).contains("test.effect"))
            #expect(!Self.actions(automated).contains("mcp.test.echo"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func readingTheLogIsRecorded(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call(
                "audit_search", ["actor_email": "eve@example.com"], as: platform.reader)
            _ = try await platform.call(
                "audit_resource_history", ["resource_type": "booking", "resource_id": "b1"])
            _ = try await platform.call("audit_user_activity", ["user_email": "eve@example.com"])
            _ = try await platform.call("audit_recent_admin_actions")
            await platform.recorder.flush()
            #expect(
                try await platform.rows(
                    """
                    SELECT action, category, actor_email AS who, resource_type AS t, resource_id AS i
                    FROM audit_logs ORDER BY id
                    """
                )
                    == [
                        "action=mcp.audit.search category=read who=rex@example.com t=mcp i=NULL",
                        "action=mcp.audit.resources.history category=read who=ada@example.com t=booking i=b1",
                        "action=mcp.audit.users.activity category=read who=ada@example.com t=user i=NULL",
                        "action=mcp.audit.admin-actions.recent category=read who=ada@example.com t=mcp i=NULL",
                    ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHistoryHasNoTimeLimit(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            platform.advance(by: .seconds(400 * 86_400))
            _ = try await platform.call("test_set", ["which": "a", "value": 2])
            let history = try await platform.call(
                "audit_resource_history", ["resource_type": "number", "resource_id": "a"])
            #expect(Self.actions(history) == ["mcp.test.set", "number.set", "mcp.test.set", "number.set"])
            #expect(history["meta"]?["since_hours"] == 0)
            #expect(history["meta"]?["start_time"] == .null)
            #expect(history["entries"]?[1]?["changes"] == ["value": ["old": 1, "new": 2]])
            let activity = try await platform.call(
                "audit_user_activity", ["user_email": "ada@example.com", "since_days": 2])
            #expect(activity["meta"]?["since_hours"] == 48)
            #expect(Self.actions(activity).contains("number.set"))
            #expect(Self.actions(activity).filter { $0 == "number.set" }.count == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPageGoesOnWhereTheLastOneEndedWhileEntriesArrive(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            for index in 0..<10 {
                _ = try await platform.call("test_set", ["which": "a", "value": .int(index)])
            }
            let (pages, rows) = try await WebhookListTests.walk(
                platform, "audit_search", ["action": "number.set", "limit": 3]
            ) {
                _ = try await platform.call("test_set", ["which": "b", "value": 1_000])
                platform.advance(by: .milliseconds(1))
            }
            #expect(pages.count == 4)
            #expect(rows.map { $0["changes"]?["value"]?["new"] } == (0..<10).reversed().map { .int($0) })
        }
    }

    @Test(arguments: TestDatabase.available)
    func detailShowsSurfaceClientAndRedactedArguments(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call(
                "test_set", ["which": "a", "value": 1, "idempotency_key": "sk_live_0123456789abcdefghijkl"])
            let plain = try await platform.call("audit_search", ["action": "mcp.test.set"])
            #expect(plain["entries"]?[0]?["metadata"] == .null)
            let detail = try await platform.call("audit_search", ["action": "mcp.test.set", "detail": true])
            let metadata = detail["entries"]?[0]?["metadata"]
            #expect(metadata?["surface"] == "mcp")
            #expect(metadata?["client"]?["name"] == "test")
            #expect(metadata?["actor_roles"] == ["admin"])
            #expect(metadata?["arguments"] == ["which": "a", "value": 1])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEntryIsShownWithItsSeal(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            let found = try await platform.call("audit_search", ["action": "number.set"])
            let id = try #require(found["entries"]?[0]?["id"])
            let before = try await platform.call("audit_entry", ["entry_id": id])
            #expect(before["seal"] == .null)
            try await platform.seal()
            let after = try await platform.call("audit_entry", ["entry_id": id])
            // After the two reads, which were sealed as they were written.
            #expect(after["seal"]?["seq"] == 2)
            #expect(after["entry"]?["id"] == id)
            let missing = try await platform.failure(
                "audit_entry", ["entry_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
            #expect(missing?.code == .notFound)
        }
    }
}
