import JSON
import MCP
import Testing

/// 2025-11-25 and earlier over HTTP, on the same server.
@Suite struct LegacyTests {
    private func server(_ change: (inout TestHost) -> Void = { _ in }) -> MCPServer<TestHost> {
        var host = TestHost()
        var tool = MCPTool(name: "echo", title: "Echo", description: "Says it back.")
        tool.outputSchema = ["type": "object"]
        tool.icons = [Icon(source: "https://x/e.png")]
        host.add(tool) { .structured(JSONValue.object($0.arguments).encoded()) }
        host.add(.plain("broken")) { _ in throw TestProblem() }
        host.add(.plain("refuses")) { _ in .failure("date must be ISO 8601") }
        change(&host)
        return MCPServer(host: host)
    }

    private func initialize(_ version: JSONValue) -> MCPHTTPRequest {
        Send.legacy(
            "initialize",
            [
                "protocolVersion": version, "capabilities": [:],
                "clientInfo": ["name": "c", "version": "1"],
            ],
            version: nil)
    }

    @Test(arguments: [
        ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1999-01-01", "2025-11-25"),
    ])
    func initializeEchoesAKnownVersionAndCounterOffersOtherwise(offered: String, expected: String)
        async throws
    {
        let answer = try await server().answer(initialize(.string(offered)))
        #expect(answer.status == 200)
        #expect(answer.result["protocolVersion"] == .string(expected))
        #expect(answer.result["serverInfo"]?["name"] == "test")
        #expect(answer.result["resultType"] == nil)
        #expect(answer.headers["mcp-session-id"] == nil)
        #expect((answer.result["serverInfo"]?["icons"] != nil) == (expected == "2025-11-25"))
        #expect((answer.result["serverInfo"]?["title"] != nil) == (expected >= "2025-06-18"))
    }

    @Test func bothErasShareOneEndpoint() async throws {
        let server = server()
        #expect(try await server.answer(Send.modern("server/discover")).status == 200)
        #expect(try await server.answer(initialize("2025-11-25")).status == 200)
        #expect(try await server.answer(Send.modern("ping")).status == 404)
        let ping = try await server.answer(Send.legacy("ping"))
        #expect(ping.status == 200)
        #expect(ping.result == [:])
        #expect(String(decoding: ping.body, as: UTF8.self) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    }

    @Test func errorsOfProcessedRequestsTravelWithStatus200() async throws {
        for request in [
            Send.legacy("nonsense"), Send.legacy("server/discover"),
            Send.legacy("tools/call", ["name": "nope"]),
            Send.legacy("tools/call", ["name": "broken"]),
            Send.legacy("resources/read", ["uri": "test://none"]),
            Send.legacy("initialize", [:]), Send.legacy("tools/call"), Send.legacy("logging/setLevel"),
        ] {
            let answer = try await server().answer(request)
            #expect(answer.status == 200)
            #expect(answer.code != nil)
        }
    }

    @Test func aMissingResourceHasTheLegacyCode() async throws {
        let answer = try await server().answer(Send.legacy("resources/read", ["uri": "test://none"]))
        #expect(answer.code == -32002)
        #expect(answer.error["data"] == ["uri": "test://none"])
    }

    @Test func noSessionAndNoHandshakeIsNeeded() async throws {
        for request in [
            Send.legacy("tools/list", version: nil),
            Send.legacy("tools/list", headers: [("Mcp-Session-Id", "old")]),
        ] {
            #expect(try await server().answer(request).status == 200)
        }
    }

    @Test func fieldsAppearOnlyInRevisionsThatKnowThem() async throws {
        func tool(_ version: String?) async throws -> JSONValue {
            try await server().answer(Send.legacy("tools/list", version: version)).result["tools"]?[0]
                ?? .null
        }
        let march = try await tool("2025-03-26")
        #expect(march.objectValue?.keys == ["name", "description", "inputSchema", "annotations"])
        #expect(try await tool(nil) == march)
        #expect(try await tool("2024-11-05")["annotations"] == nil)
        let june = try await tool("2025-06-18")
        #expect(
            june.objectValue?.keys == [
                "name", "title", "description", "inputSchema", "outputSchema", "annotations",
            ])
        #expect(try await tool("2025-11-25")["icons"]?[0]?["src"] == "https://x/e.png")

        let call: JSONObject = ["name": "echo", "arguments": ["a": 1]]
        let old = try await server().answer(Send.legacy("tools/call", call, version: "2025-03-26"))
        #expect(old.result["structuredContent"] == nil)
        #expect(old.result["content"]?[0]?["text"] == #"{"a":1}"#)
        #expect(old.result["isError"] == false)
        let new = try await server().answer(Send.legacy("tools/call", call))
        #expect(new.result["structuredContent"] == ["a": 1])
        #expect(new.result["resultType"] == nil && new.result["_meta"] == nil)
    }

    @Test func aFailedToolIsAResult() async throws {
        let answer = try await server().answer(Send.legacy("tools/call", ["name": "refuses"]))
        #expect(answer.result["isError"] == true)
        #expect(answer.result["content"] == [["type": "text", "text": "date must be ISO 8601"]])
    }

    @Test func anUnsupportedVersionHeaderIsABadRequest() async throws {
        let answer = try await server().answer(Send.legacy("tools/list", version: "2023-01-01"))
        #expect(answer.status == 400)
        let notification = Send.legacy("notifications/initialized", id: nil, version: "2023-01-01")
        #expect(try await server().answer(notification).status == 400)
    }

    @Test func notificationsAreAcceptedWithoutABody() async throws {
        for method in ["notifications/initialized", "notifications/cancelled", "notifications/unheard"] {
            let answer = try await server().answer(Send.legacy(method, ["requestId": 1], id: nil))
            #expect(answer.status == 202)
            #expect(answer.body.isEmpty)
        }
        #expect(try await server().answer(Send.modern("notifications/x", id: nil)).status == 202)
    }

    @Test func optionalFamiliesAnswerOnlyWhenDeclared() async throws {
        let plain = try await server().answer(Send.legacy("logging/setLevel", ["level": "info"]))
        #expect(plain.code == -32601)
        let rich = server { host in
            host.features.logging = true
            host.features.legacySubscriptions = true
        }
        #expect(try await rich.answer(Send.legacy("logging/setLevel", ["level": "info"])).result == [:])
        #expect(try await rich.answer(Send.legacy("logging/setLevel", ["level": "loud"])).code == -32602)
        #expect(
            try await rich.answer(Send.legacy("resources/subscribe", ["uri": "test://a"])).result == [:])
        #expect(try await rich.answer(Send.legacy("resources/subscribe")).code == -32602)
        let capabilities = try await rich.answer(initialize("2025-11-25")).result["capabilities"]
        #expect(capabilities?["resources"] == ["subscribe": true])
        #expect(capabilities?["logging"] == [:])
    }

    @Test func listChangesAreNotPromisedToLegacyClients() async throws {
        let server = server { $0.features.toolChanges = true }
        #expect(try await server.answer(initialize("2025-11-25")).result["capabilities"]?["tools"] == [:])
        let modern = try await server.answer(Send.modern("server/discover"))
        #expect(modern.result["capabilities"]?["tools"] == ["listChanged": true])
    }
}
