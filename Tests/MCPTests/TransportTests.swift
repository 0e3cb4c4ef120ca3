import JSON
import MCP
import Testing

/// What is checked before a message is looked at.
@Suite struct TransportTests {
    private func server(_ change: (inout MCPConfiguration) -> Void = { _ in }) -> MCPServer<TestHost> {
        var host = TestHost()
        host.add(.plain("echo")) { _ in .text("x") }
        var configuration = MCPConfiguration()
        change(&configuration)
        return MCPServer(host: host, configuration: configuration)
    }

    private let list = Send.message("tools/list", nil, 1).encoded()

    @Test(arguments: ["GET", "DELETE", "PUT"])
    func onlyPostIsAllowed(method: String) async throws {
        let answer = try await server().answer(
            MCPHTTPRequest(
                method: method, headers: HTTPHeaders([("Accept", "text/event-stream")]), body: []))
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "POST")
    }

    @Test(arguments: [nil, "text/plain", "application/jsonx", "application/x-www-form-urlencoded"])
    func theBodyMustBeJSON(type: String?) async throws {
        #expect(try await server().answer(Send.raw(list, type: type)).status == 415)
    }

    @Test(arguments: [
        "application/json", "Application/JSON; charset=utf-8", "application/json;charset=utf-8",
    ])
    func theContentTypeMayHaveParameters(type: String) async throws {
        #expect(try await server().answer(Send.raw(list, type: type)).status == 200)
    }

    @Test(arguments: [
        "https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost@evil.example",
        "http://localhost:80@evil.example", "http://[::1].evil.example", "http://localhost/evil",
    ])
    func aForeignOriginIsForbidden(origin: String) async throws {
        let answer = try await server().answer(Send.raw(list, [("Origin", origin)]))
        #expect(answer.status == 403)
        #expect(try answer.json["id"] == nil)
    }

    @Test(arguments: [
        "http://127.0.0.1:8080", "http://localhost:3000", "http://[::1]:9", "https://app.example",
    ])
    func anAllowedOriginPasses(origin: String) async throws {
        let server = server { $0.access.origins = ["https://app.example"] }
        #expect(try await server.answer(Send.raw(list, [("Origin", origin)])).status == 200)
    }

    @Test func loopbackOriginsCanBeRefused() async throws {
        let server = server { $0.access.allowsLoopback = false }
        #expect(try await server.answer(Send.raw(list, [("Origin", "http://localhost:1")])).status == 403)
    }

    @Test(arguments: [
        ("mcp.example", 200), ("mcp.example:8443", 200), ("MCP.example", 200), ("127.0.0.1:80", 200),
        ("[::1]:80", 200), ("evil.example", 403), ("mcp.example.evil", 403), ("", 403),
        ("[::1].evil.example", 403), ("mcp.example:80@evil.example", 403),
    ])
    func onlyKnownHostNamesAreServed(host: String, status: Int) async throws {
        let server = server { $0.access.hosts = ["mcp.example"] }
        #expect(try await server.answer(Send.raw(list, [("Host", host)])).status == status)
    }

    @Test func accessIsCheckedBeforeTheMethod() async throws {
        let request = MCPHTTPRequest(
            method: "GET", headers: HTTPHeaders([("Origin", "https://evil")]), body: [])
        #expect(try await server().answer(request).status == 403)
    }

    @Test func bodiesThatAreNoMessageAreBadRequests() async throws {
        let cases: [(String, Int, JSONValue?)] = [
            ("{", -32700, nil), ("", -32700, nil), ("[]", -32600, nil), ("\"x\"", -32600, nil),
            ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, nil),
            ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600, 1),
            ("{\"id\":\"a\",\"method\":\"ping\"}", -32600, "a"),
            ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, nil),
            ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600, nil),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600, 1),
            ("{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, 1),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[1]}", -32602, 1),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32700, nil),
            ("{\"jsonrpc\":\"2.0\",\"id\":\"ask-x\",\"result\":{}}", -32600, nil),
        ]
        for (body, code, id) in cases {
            let answer = try await server().answer(Send.raw(Array(body.utf8)))
            #expect(answer.status == 400, "\(body)")
            #expect(answer.code == code, "\(body)")
            #expect(try answer.json["id"] == id, "\(body)")
        }
    }

    @Test(arguments: [.int(0), .int(9_007_199_254_740_991), "7", "", "é"] as [JSONValue])
    func theIdIsEchoedWithItsType(id: JSONValue) async throws {
        #expect(try await server().answer(Send.legacy("ping", id: id)).json["id"] == id)
        #expect(try await server().answer(Send.modern("tools/list", id: id)).json["id"] == id)
        #expect(try await server().answer(Send.modern("nope", id: id)).json["id"] == id)
    }

    @Test func sizeAndDepthAreLimited() async throws {
        let small = server { $0.maximumBodyBytes = 40 }
        #expect(try await small.answer(Send.legacy("tools/list", ["a": "0123456789"])).status == 413)
        let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
        let body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":\(deep)}}"
        let answer = try await server().answer(Send.raw(Array(body.utf8)))
        #expect(answer.status == 400 && answer.code == -32700)
    }

    @Test func theLadderOfChecksHasTheReferenceOrder() async throws {
        // Each request is wrong in two ways; the earlier check must answer.
        let server = server { $0.maximumBodyBytes = 500 }
        let batchWithHeaders = Send.raw(
            [Send.message("ping", nil, 1)] as JSONValue, [("Mcp-Method", "a"), ("Mcp-Method", "b")])
        #expect(try await server.answer(batchWithHeaders).code == -32600)
        let twoHeadersNoMeta = Send.raw(
            Send.message("tools/list", nil, 1),
            [("MCP-Protocol-Version", "2099-01-01"), ("MCP-Protocol-Version", "2099-01-01")])
        #expect(try await server.answer(twoHeadersNoMeta).code == -32020)
        let noMetaWrongMethod = Send.raw(
            Send.message("tools/list", nil, 1),
            [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "x")])
        #expect(try await server.answer(noMetaWrongMethod).code == -32602)
        let mismatchAndUnknown = Send.modern(
            "nope", version: "2099-01-01", headers: [("MCP-Protocol-Version", "2098-01-01")])
        #expect(try await server.answer(mismatchAndUnknown).code == -32020)
        let unknownVersionAndMethod = Send.modern("nope", version: "2099-01-01")
        #expect(try await server.answer(unknownVersionAndMethod).code == -32022)
        let unknownMethod = Send.modern("nope")
        #expect(try await server.answer(unknownMethod).code == -32601)
    }

    @Test func metadataOfTheProtectedResourceHasBothPaths() {
        let metadata = ProtectedResourceMetadata(
            resource: "https://x/mcp", authorizationServers: ["https://as"], scopes: ["read"])
        #expect(metadata.json["resource"] == "https://x/mcp")
        #expect(metadata.json["authorization_servers"] == ["https://as"])
        #expect(metadata.json["scopes_supported"] == ["read"])
        #expect(
            ProtectedResourceMetadata.wellKnownPaths(endpoint: "/mcp") == [
                "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource",
            ])
    }

    @Test func aChallengeCannotBreakItsHeader() {
        let challenge = BearerChallenge(error: "invalid_token", description: "a\"b\r\nX: y é")
        #expect(
            challenge.headerValue == "Bearer error=\"invalid_token\", error_description=\"a'b??X: y ?\"")
        #expect(BearerChallenge().headerValue == "Bearer")
    }

    @Test func base64IsStrict() {
        for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
            let bytes = Array(text.utf8)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encode(bytes, .url), .url) == bytes)
        }
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        for text in ["Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9v!g==", "Zm9v Yg==", "=", "Z"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
