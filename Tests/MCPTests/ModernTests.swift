import JSON
import MCP
import Testing

/// 2026-07-28 over HTTP.
@Suite struct ModernTests {
    private static let meta = "io.modelcontextprotocol/"

    private func server(_ change: (inout TestHost) -> Void = { _ in }) -> MCPServer<TestHost> {
        var host = TestHost()
        host.add(.plain("echo")) { call in
            .result(ToolResult(structured: JSONValue.object(call.arguments).encoded(), meta: ["k": 1]))
        }
        host.add(.plain("broken")) { _ in throw TestProblem() }
        host.add(.plain("sampler", requires: ["sampling": [:]])) { _ in .text("x") }
        change(&host)
        return MCPServer(host: host)
    }

    @Test func everyResultHasItsTypeAndTheServersName() async throws {
        let requests = [
            Send.modern("server/discover"), Send.modern("tools/list"), Send.modern("prompts/list"),
            Send.modern("resources/list"), Send.modern("resources/templates/list"),
            Send.modern("resources/read", ["uri": "test://a"]), Send.modern("tools/call", ["name": "echo"]),
            Send.modern("prompts/get", ["name": "greet", "arguments": ["who": "Bo"]]),
            Send.modern(
                "completion/complete",
                [
                    "ref": ["type": "ref/prompt", "name": "greet"],
                    "argument": ["name": "who", "value": "B"],
                ], headers: [("Mcp-Name", nil)]),
        ]
        for request in requests {
            let answer = try await server().answer(request)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.result["resultType"] == "complete")
            #expect(answer.result["_meta"]?["\(Self.meta)serverInfo"]?["name"] == "test")
        }
    }

    @Test func discoveryDeclaresWhatIsOffered() async throws {
        let answer = try await server().answer(Send.modern("server/discover"))
        #expect(answer.result["supportedVersions"] == ["2026-07-28"])
        #expect(
            answer.result["capabilities"] == [
                "tools": [:], "prompts": [:], "resources": [:], "completions": [:],
            ])
        #expect(answer.result["instructions"] == "Call things.")
        #expect(answer.result["serverInfo"] == nil)
    }

    @Test(arguments: [
        "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list",
        "resources/read",
    ])
    func cacheableResultsSayForHowLongAndForWhom(method: String) async throws {
        let answer = try await server().answer(
            Send.modern(method, method == "resources/read" ? ["uri": "test://a"] : [:]))
        #expect((answer.result["ttlMs"]?.intValue ?? -1) >= 0)
        #expect(["public", "private"].contains(answer.result["cacheScope"]?.stringValue))
    }

    @Test(arguments: [
        "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
        "tasks/get",
        "subscriptions/listen", "nonsense",
    ])
    func methodsOfTheOtherEraOrNotOfferedAreNotFound(method: String) async throws {
        let answer = try await server().answer(Send.modern(method, ["protocolVersion": "2025-11-25"]))
        #expect(answer.status == 404)
        #expect(answer.code == -32601)
        #expect(try answer.json["id"] == 1)
    }

    @Test func requiredMetadataIsRequiredAndClientInfoIsNot() async throws {
        let noCapabilities = try await server().answer(Send.modern("tools/list", capabilities: nil))
        #expect(noCapabilities.status == 400 && noCapabilities.code == -32602)
        let wrongKind = try await server().answer(Send.modern("tools/list", capabilities: []))
        #expect(wrongKind.status == 400 && wrongKind.code == -32602)
        let noVersion = try await server().answer(
            Send.raw(
                Send.message("tools/list", ["_meta": ["\(Self.meta)clientCapabilities": [:]]], 1),
                [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")]))
        #expect(noVersion.status == 400 && noVersion.code == -32602)
        let noMeta = try await server().answer(
            Send.raw(Send.message("tools/list", nil, 1), [("MCP-Protocol-Version", "2026-07-28")]))
        #expect(noMeta.status == 400 && noMeta.code == -32602)
        #expect(try await server().answer(Send.modern("tools/list")).status == 200)
        let badLevel = try await server().answer(
            Send.modern("tools/list", meta: ["\(Self.meta)logLevel": "loud"]))
        #expect(badLevel.status == 400 && badLevel.code == -32602)
    }

    static let wrongHeaders: [[(name: String, value: String?)]] = [
        [("Mcp-Method", nil)], [("Mcp-Method", "tools/list")], [("Mcp-Method", "Tools/Call")],
        [("Mcp-Name", nil)], [("Mcp-Name", "ECHO")], [("Mcp-Name", "=?base64?!!!?=")],
        [("Mcp-Name", "=?base64?ZWNobw?=")], [("Mcp-Name", "=?base64?ZWNobx==?=")],
        [("MCP-Protocol-Version", nil)], [("MCP-Protocol-Version", "2025-11-25")],
        [("x", "y"), ("mcp-method", "tools/call")], [("mcp-name", "echo")],
    ]

    @Test(arguments: wrongHeaders)
    func headersMustSayWhatTheBodySays(change: [(name: String, value: String?)]) async throws {
        let answer = try await server().answer(Send.modern("tools/call", ["name": "echo"], headers: change))
        #expect(answer.status == 400)
        #expect(answer.code == -32020)
        #expect(try answer.json["id"] == 1)
    }

    static let rightHeaders: [[(name: String, value: String?)]] = [
        [("Mcp-Name", "  echo\t")], [("Mcp-Name", "=?base64?ZWNobw==?=")],
        [("Mcp-Method", nil), ("mCP-mETHOD", "tools/call")],
        [("Mcp-Session-Id", "stale"), ("Last-Event-ID", "4")],
    ]

    @Test(arguments: rightHeaders)
    func headersAreComparedAsTheirRulesSay(change: [(name: String, value: String?)]) async throws {
        let answer = try await server().answer(Send.modern("tools/call", ["name": "echo"], headers: change))
        #expect(answer.status == 200)
        #expect(answer.headers["mcp-session-id"] == nil)
    }

    @Test(arguments: ["2099-01-01", "2025-06-18", "nonsense"])
    func anUnknownVersionIsAnsweredWithTheKnownOnes(version: String) async throws {
        for method in ["server/discover", "tools/list", "nonsense"] {
            let answer = try await server().answer(Send.modern(method, version: version))
            #expect(answer.status == 400)
            #expect(answer.code == -32022)
            #expect(answer.error["data"] == ["supported": ["2026-07-28"], "requested": .string(version)])
        }
    }

    @Test func aMissingCapabilityIsNamedAsAnObject() async throws {
        let answer = try await server().answer(Send.modern("tools/call", ["name": "sampler"]))
        #expect(answer.status == 400)
        #expect(answer.code == -32021)
        #expect(answer.error["data"] == ["requiredCapabilities": ["sampling": [:]]])
        let url: JSONObject = ["elicitation": ["url": [:]]]
        let nested = server { $0.add(.plain("opener", requires: url)) { _ in .text("x") } }
        let formOnly = try await nested.answer(
            Send.modern("tools/call", ["name": "opener"], capabilities: ["elicitation": [:]]))
        #expect(formOnly.error["data"]?["requiredCapabilities"] == .object(url))
        let able = try await server().answer(
            Send.modern("tools/call", ["name": "sampler"], capabilities: ["sampling": [:]]))
        #expect(able.status == 200)
    }

    @Test func structuredContentIsAlsoTheText() async throws {
        let arguments: JSONValue = ["b": "q\"uote\n", "a": [1, 2.5]]
        let answer = try await server().answer(
            Send.modern("tools/call", ["name": "echo", "arguments": arguments]))
        #expect(answer.result["structuredContent"] == arguments)
        #expect(answer.result["content"] == [["type": "text", "text": .string(arguments.text)]])
        #expect(answer.result["_meta"]?["k"] == 1)
        #expect(answer.result["isError"] == nil)
    }

    @Test func argumentsMayBeAbsentButNotAnotherType() async throws {
        let absent = try await server().answer(Send.modern("tools/call", ["name": "echo"]))
        #expect(absent.result["structuredContent"] == [:])
        let wrong = try await server().answer(
            Send.modern("tools/call", ["name": "echo", "arguments": [1]]))
        #expect(wrong.status == 400 && wrong.code == -32602)
    }

    @Test func anUnknownToolIsAProtocolError() async throws {
        let answer = try await server().answer(Send.modern("tools/call", ["name": "nope"]))
        #expect(answer.status == 400 && answer.code == -32602)
        let unnamed = try await server().answer(Send.modern("tools/call"))
        #expect(unnamed.status == 400 && unnamed.code == -32602)
    }

    @Test func anUnexpectedErrorShowsOnlyItsIncident() async throws {
        let answer = try await server().answer(Send.modern("tools/call", ["name": "broken"]))
        #expect(answer.code == -32603)
        #expect(answer.error["message"] == "incident 7")
        #expect(!String(decoding: answer.body, as: UTF8.self).contains("secret"))
    }

    @Test func aMissingResourceIsAnErrorNamingIt() async throws {
        let answer = try await server().answer(Send.modern("resources/read", ["uri": "test://none"]))
        #expect(answer.status == 400)
        #expect(answer.code == -32602)
        #expect(answer.error["data"] == ["uri": "test://none"])
    }

    @Test func promptsCheckNameAndArguments() async throws {
        let good = try await server().answer(
            Send.modern("prompts/get", ["name": "greet", "arguments": ["who": "Bo"]]))
        #expect(good.result["messages"]?[0]?["content"] == ["type": "text", "text": "Hello Bo"])
        for params: JSONObject in [
            ["name": "greet"], ["name": "none"], ["name": "greet", "arguments": ["who": 1]],
        ] {
            #expect(try await server().answer(Send.modern("prompts/get", params)).code == -32602)
        }
    }

    @Test func completionIsCutAtAHundred() async throws {
        let params: JSONObject = [
            "ref": ["type": "ref/prompt", "name": "greet"], "argument": ["name": "who", "value": "B"],
        ]
        let answer = try await server().answer(Send.modern("completion/complete", params))
        #expect(answer.result["completion"]?["values"]?.arrayValue?.count == 100)
        #expect(answer.result["completion"]?["total"] == 150)
        #expect(answer.result["completion"]?["hasMore"] == true)
        let unknown = params.merging(["ref": ["type": "ref/resource", "uri": "test://t/{id}"]])
        #expect(try await server().answer(Send.modern("completion/complete", unknown)).code == -32602)
    }

    @Test func aCursorThatIsNotOursIsInvalidAndNoneIsMinted() async throws {
        let answer = try await server().answer(Send.modern("tools/list", ["cursor": ""]))
        #expect(answer.status == 400 && answer.code == -32602)
        #expect(try await server().answer(Send.modern("tools/list")).result["nextCursor"] == nil)
    }

    @Test func theToolListIsTheSameBytesEveryTime() async throws {
        let server = server()
        let first = try await server.answer(Send.modern("tools/list"))
        let second = try await server.answer(Send.modern("tools/list"))
        #expect(first.body == second.body)
        #expect(first.result["tools"]?.arrayValue?.map { $0["name"] } == ["echo", "broken", "sampler"])
    }

    @Test func aForbiddenToolIsRefusedByHTTPBeforeItRuns() async throws {
        let server = server { host in
            host.add(.plain("admin", streaming: .always)) { _ in .text("ran") }
            host.forbidden = ["admin": ["a:read", "a:write"]]
        }
        let answer = try await server.answer(Send.modern("tools/call", ["name": "admin"]))
        #expect(answer.status == 403)
        #expect(
            answer.headers["www-authenticate"]
                == "Bearer error=\"insufficient_scope\", error_description=\"More scope is needed\", "
                + "scope=\"a:read a:write\", resource_metadata=\"https://x/prm\"")
        #expect(answer.error["message"] == "More scope is needed")
    }

    @Test func anArgumentMayHaveToBeRepeatedInAHeader() async throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "region": ["type": "string", "x-mcp-header": "Region"],
                "deep": [
                    "type": "object",
                    "properties": ["count": ["type": "integer", "x-mcp-header": "Count"]],
                ],
            ],
        ]
        let server = server { host in
            host.add(MCPTool(name: "where", description: "d", inputSchema: schema)) { _ in .text("ok") }
        }
        func status(_ arguments: JSONValue, _ headers: [(name: String, value: String?)]) async throws -> Int {
            try await server.answer(
                Send.modern("tools/call", ["name": "where", "arguments": arguments], headers: headers)
            ).status
        }
        #expect(try await status(["region": "eu"], [("Mcp-Param-Region", "eu")]) == 200)
        #expect(try await status(["region": "eu"], [("mcp-param-region", "EU")]) == 400)
        #expect(try await status(["region": "eu"], []) == 400)
        #expect(try await status(["region": nil], []) == 200)
        #expect(try await status([:], [("Mcp-Param-Other", "x")]) == 200)
        #expect(try await status(["region": "é"], [("Mcp-Param-Region", "=?base64?w6k=?=")]) == 200)
        #expect(try await status(["deep": ["count": 5]], [("Mcp-Param-Count", "5")]) == 200)
        #expect(try await status(["deep": ["count": 5]], [("Mcp-Param-Count", "6")]) == 400)
    }
}
