import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct RunnerTests {
    static func with(
        _ dialect: Dialect, logger: LogCollector = LogCollector(),
        configure: (inout Configuration) -> Void = { _ in }, _ body: (TestPlatform) async throws -> Void
    ) async throws {
        try await TestPlatform.with(
            dialect, extra: [TestOperations.feature], logger: logger.logger, configure: configure, body)
    }

    /// Name and problem of every argument that a call of `test_echo` is refused for.
    static func problems(_ arguments: JSONObject) async throws -> [String: String] {
        var result: [String: String] = [:]
        try await with(.sqlite) { platform in
            let failure = try await platform.failure("test_echo", arguments)
            if let failure {
                #expect(failure.code == .invalidInput)
                result = Dictionary(
                    failure.fields.map { ($0.name, $0.problem) }, uniquingKeysWith: { a, b in "\(a); \(b)" })
            }
        }
        return result
    }

    @Test(arguments: TestDatabase.available)
    func anOperationThatDoesNotExistIsNotFound(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure("test_nothing\u{202E}")
            #expect(failure?.code == .notFound)
            #expect(failure?.message.contains("'test_nothing'") == true)
            #expect(failure?.hint != nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCallOfWhatDoesNotExistLeavesAFailedEntryWithItsName(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let names = [
                "test_nothing\u{202E}", String(repeating: "x", count: 5_000),
                "itk_01M82TSVD8A6Q4K3DVTACBZKA2_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ]
            for name in names { _ = try await platform.failure(name, ["password": "hunter2", "limit": 3]) }
            await platform.recorder.flush()
            let rows = try await platform.database.read { db in
                try db.rows(
                    """
                    SELECT metadata, status, category, actor_id FROM audit_logs
                    WHERE action = 'mcp.unknown' ORDER BY id
                    """)
            }
            try #require(rows.count == 3)
            let found = try rows.map { try JSONValue(parsing: $0.get(at: 0, as: String.self)) }
            #expect(found[0]["operation"] == "test_nothing")
            #expect(found[0]["arguments"]?["limit"] == 3)
            #expect(found[0]["arguments"]?["password"] != "hunter2")
            #expect(found[0]["code"] == "not_found")
            #expect(found[1]["operation"]?.stringValue?.count == 100)
            #expect(found[2].text.contains("aaaaaaaaaa") == false)
            for row in rows {
                #expect(try row.get(at: 1, as: String.self) == "failed")
                #expect(try row.get(at: 3, as: String.self) == platform.admin.id)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMissingScopeIsForbiddenAndLeavesADeniedEntry(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure(
                "test_set", ["which": "a", "value": 1], as: platform.reader)
            #expect(failure?.code == .forbidden)
            #expect(failure?.requiredScopes == [.write])
            #expect(try await platform.count("numbers") == 0)
            await platform.recorder.flush()
            #expect(
                try await platform.rows("SELECT category, action, status, actor_email FROM audit_logs")
                    == ["category=admin action=mcp.test.set status=denied actor_email=rex@example.com"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func tooManyCallsAreRefusedWithTheTimeToWait(dialect: Dialect) async throws {
        try await Self.with(dialect, configure: { ($0.ratePerMinute, $0.rateBurst) = (60, 3) }) { platform in
            for _ in 0..<3 { _ = try await platform.call("test_echo", ["text": "a"]) }
            let failure = try await platform.failure("test_echo", ["text": "a"])
            #expect(failure?.code == .rateLimited)
            #expect(failure?.retryAfter == .seconds(1))
            // Another caller is not affected, and this one only until it has waited.
            _ = try await platform.call("test_echo", ["text": "a"], as: platform.reader)
            platform.advance(by: .milliseconds(999))
            #expect(try await platform.failure("test_echo", ["text": "a"])?.code == .rateLimited)
            platform.advance(by: .milliseconds(1))
            _ = try await platform.call("test_echo", ["text": "a"])
        }
    }

    @Test func anOperationThatCostsMoreThanTheBurstIsStillPossible() throws {
        let limiter = RateLimiter(perMinute: 60, burst: 2)
        try limiter.take(5, for: "a", at: TestClock.start)
        #expect(throws: Failure.self) { try limiter.take(1, for: "a", at: TestClock.start) }
        try limiter.take(5, for: "a", at: TestClock.start + .seconds(2))
    }

    @Test func allArgumentProblemsAreReportedTogether() async throws {
        let problems = try await Self.problems([
            "text": "too long", "number": 101, "ratio": "much", "flag": "maybe", "color": "blue",
            "id": "nope",
            "time": "yesterday", "words": [], "colour": "red",
        ])
        #expect(
            Set(problems.keys)
                == ["text", "number", "ratio", "flag", "color", "id", "time", "words", "colour"])
        #expect(problems["color"] == "must be one of red, green, not 'blue'")
        #expect(problems["number"] == "must be from 1 to 100, not 101")
        #expect(problems["id"]?.contains("ULID") == true)
        #expect(problems["time"]?.contains("RFC 3339") == true)
    }

    @Test(arguments: TestDatabase.available)
    func problemsOfACommandsOwnOptionsAreReportedWithTheOthers(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure(
                "test_set", ["which": "", "value": "x", "idempotency_key": "", "confirm_token": 7])
            #expect(
                failure?.fields.map(\.name).sorted() == [
                    "confirm_token", "idempotency_key", "value", "which",
                ])
        }
    }

    @Test func anUnknownArgumentIsNamedWithTheValidOnes() async throws {
        let problems = try await Self.problems(["text": "a", "numbre": 1])
        #expect(
            problems == [
                "numbre":
                    "is not an argument; the arguments are text, number, ratio, flag, color, id, time, words"
            ])
    }

    @Test func aMissingArgumentIsNamed() async throws {
        #expect(try await Self.problems([:]) == ["text": "is required"])
        #expect(try await Self.problems(["text": nil])["text"] != nil)
    }

    @Test(arguments: TestDatabase.available)
    func aQuotedNumberIsStillANumberAndOneWordAList(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let answer = try await platform.call(
                "test_echo",
                ["text": "a", "number": "42", "ratio": "0.5", "flag": "true", "words": "one", "color": nil])
            #expect(answer["number"] == 42)
            #expect(answer["ratio"] == 0.5)
            #expect(answer["flag"] == true)
            #expect(answer["words"] == ["one"])
            #expect(answer["color"] == .null)
            #expect(try await platform.call("test_echo", ["text": "a", "number": 42.0])["number"] == 42)
        }
    }

    @Test(
        arguments: [
            (["text": 5], "text"), (["text": ["a"]], "text"), (["text": "a", "number": true], "number"),
            (["text": "a", "number": 1.5], "number"), (["text": "a", "number": "1e2"], "number"),
            (["text": "a", "number": .double(1e300)], "number"),
            (["text": "a", "number": .double(.infinity)], "number"),
            (["text": "a", "number": "99999999999999999999"], "number"),
            (["text": "a", "number": ""], "number"),
            (["text": "a", "ratio": "nan"], "ratio"), (["text": "a", "ratio": "inf"], "ratio"),
            (["text": "a", "ratio": .double(.nan)], "ratio"), (["text": "a", "flag": 1], "flag"),
            (["text": "a", "words": ["a", 1]], "words"),
            (["text": "a", "words": ["a", "b", "c", "d"]], "words"),
            (["text": "a\u{0}"], "text"), (["text": "a", "words": ["\u{0}"]], "words"),
            (["text": "éééééé"], "text"),
            (["text": "a", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAU"], "id"), (["text": "a", "id": 1], "id"),
            (["text": "a", "time": "2026-11-22T10:00:00"], "time"),
            (["text": "a", "time": "2026-13-01T00:00:00Z"], "time"),
        ] as [(JSONObject, String)])
    func anArgumentOfAWrongTypeOrRangeIsRefused(arguments: JSONObject, name: String) async throws {
        #expect(try await Array(Self.problems(arguments).keys) == [name])
    }

    @Test(arguments: TestDatabase.available)
    func aReadIsRecordedInABatchAfterTheAnswer(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            for _ in 0..<7 { _ = try await platform.call("test_echo", ["text": "a"]) }
            #expect(platform.recorder.backlog == 7)
            #expect(try await platform.count("audit_logs") == 0)
            await platform.recorder.flush()
            #expect(platform.recorder.backlog == 0)
            #expect(
                try await platform.count(
                    "audit_logs",
                    where: "category = 'read' AND status = 'success' AND action = 'mcp.test.echo'") == 7)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReadIsNotLostWhenTheDatabaseIsAwayForAWhile(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_echo", ["text": "a"])
            platform.database.isDown = true
            await platform.recorder.flush()
            _ = try await platform.call("test_echo", ["text": "b"])
            await platform.recorder.flush()
            #expect(platform.recorder.backlog == 2)
            platform.database.isDown = false
            await platform.recorder.flush()
            #expect(try await platform.count("audit_logs") == 2)
            #expect(try await platform.count("audit_leaves") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReadIsRecordedOnceWhenTheAnswerToItsCommitIsLost(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_echo", ["text": "a"])
            platform.database.losesAnswers = true
            await platform.recorder.flush()
            platform.database.losesAnswers = false
            try await platform.sealer.sealAll()
            _ = try await platform.call("test_echo", ["text": "b"])
            await platform.recorder.flush()
            try await platform.sealer.sealAll()
            #expect(try await platform.count("audit_logs") == 2)
            #expect(try await platform.count("audit_leaves") == 2)
            #expect(platform.recorder.backlog == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoFlushesAtOnceLoseNothing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            for round in 1...20 {
                for _ in 0..<5 { _ = try await platform.call("test_echo", ["text": "a"]) }
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { await platform.recorder.flush() } }
                    for _ in 0..<5 {
                        group.addTask { _ = try? await platform.call("test_echo", ["text": "b"]) }
                    }
                }
                await platform.recorder.flush()
                #expect(try await platform.count("audit_logs") == 10 * round)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNameWithANullCharacterDoesNotBlockTheRecorder(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure("test_echo", ["te\u{0}xt": "a", "text": "a\u{0}b"])
            #expect(failure?.code == .invalidInput)
            var context = platform.context()
            context.userAgent = "curl\u{0}"
            context.requestID = "r\u{0}"
            context.client = ClientInfo(name: "c\u{0}", version: "\u{0}")
            _ = try await platform.runner.call("test_echo", ["text": "a"], context)
            await platform.recorder.flush()
            #expect(platform.recorder.backlog == 0)
            #expect(try await platform.count("audit_logs") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFloodOfUnknownArgumentsIsAnsweredBriefly(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            var arguments: JSONObject = ["text": "a"]
            for index in 0..<5_000 { arguments["x\(index)"] = 1 }
            let failure = try await platform.failure("test_echo", arguments)
            #expect((failure?.message.utf8.count ?? .max) < 10_000)
            await platform.recorder.flush()
            let stored: String? = try await platform.value("SELECT error_message FROM audit_logs")
            #expect((stored?.utf8.count ?? .max) < 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aChangeAndItsAuditEntryCommitTogether(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 5])
            #expect(
                try await platform.rows(
                    "SELECT category, action, resource_type, resource_id, status, changes FROM audit_logs ORDER BY id"
                )
                    == [
                        "category=admin action=number.set resource_type=number resource_id=a status=success "
                            + #"changes={"value":{"new":5,"old":null}}"#,
                        "category=admin action=mcp.test.set resource_type=number resource_id=a status=success "
                            + "changes=NULL",
                    ])
            #expect(platform.recorder.backlog == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aChangeThatCannotBeRecordedDoesNotHappen(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.refuseInserts(into: "audit_logs")
            let before = try await platform.tableHash(without: [])
            let failure = try await platform.failure("test_set", ["which": "a", "value": 5])
            #expect(failure?.code == .internal)
            #expect(try await platform.tableHash(without: []) == before)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFailedChangeIsUndoneAndLeavesAFailedEntryOfItsOwn(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure("test_wipe", ["which": "nothing"])
            #expect(failure?.code == .notFound)
            await platform.recorder.flush()
            #expect(
                try await platform.rows("SELECT action, status, error_message FROM audit_logs")
                    == ["action=mcp.test.wipe status=failed error_message=There is no number 'nothing'."])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anUnexpectedErrorIsAnIncidentThatLeaksNothing(dialect: Dialect) async throws {
        let log = LogCollector()
        try await Self.with(dialect, logger: log) { platform in
            let context = platform.context()
            do {
                _ = try await platform.runner.call("test_blunder", [:], context)
                Issue.record("the call succeeded")
            } catch let failure as Failure {
                #expect(failure.code == .internal)
                #expect(failure.message.contains(context.requestID))
                #expect(!"\(failure)\(failure.fields)".contains("hunter2"))
            }
            #expect(try await platform.count("numbers") == 0)
            await platform.recorder.flush()
            #expect(try await platform.count("audit_logs", where: "status = 'failed'") == 1)
            #expect(try await !platform.dump().contains("hunter2"))
            let logged = log.lines.filter { $0.hasPrefix("error ") }
            #expect(logged.count == 1)
            // In full, for the operators alone.
            #expect(logged.first?.contains("Oops") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aQueryCannotWrite(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure("test_peek")
            #expect(failure?.code == .internal)
            #expect(try await platform.count("numbers") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDatabaseThatIsAwayIsUnavailableAndWorthAnotherTry(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            platform.database.isDown = true
            let failure = try await platform.failure("test_set", ["which": "a", "value": 5])
            #expect(failure?.code == .unavailable)
            #expect(failure?.retryAfter != nil)
            #expect(failure?.isRetryable == true)
        }
    }
}
