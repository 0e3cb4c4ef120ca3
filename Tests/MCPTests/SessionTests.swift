import JSON
import MCP
import Testing

/// Sessions of legacy clients over HTTP, which live in their ids.
@Suite struct SessionTests {
    private func server(
        key: @escaping StateSeal.Sign = sealKey, sealed: Bool = true
    ) -> MCPServer<TestHost> {
        var host = TestHost()
        host.add(.plain("who")) { call in
            let client = call.context.client.map { "\($0.name)/\($0.version)" } ?? "nobody"
            return .text("\(client) \(call.context.revision.rawValue)")
        }
        var configuration = MCPConfiguration()
        if sealed { configuration.seal = StateSeal(now: { 1_000_000 }, sign: key) }
        return MCPServer(host: host, configuration: configuration)
    }

    private func who(
        _ server: MCPServer<TestHost>, _ headers: [(name: String, value: String)],
        version: String? = "2025-11-25", caller: String = "ann"
    ) async throws -> String? {
        let request = Send.legacy("tools/call", ["name": "who"], version: version, headers: headers)
        let answer = try await server.answer(request, caller: caller)
        return answer.status == 200 ? answer.result["content"]?[0]?["text"]?.stringValue : nil
    }

    @Test func aClientIsKnownByTheSessionItShows() async throws {
        let server = server()
        let session = try await server.session(client: ["name": "Ünï", "version": "2.0"])
        #expect(session[0].value.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        #expect(try await who(server, session) == "Ünï/2.0 2025-11-25")
        #expect(try await who(server, []) == "nobody 2025-11-25")
        let nameless = try await server.session(client: nil)
        #expect(try await who(server, nameless) == "nobody 2025-11-25")
    }

    @Test func everyNodeAndALaterProcessKnowTheSession() async throws {
        let session = try await server().session(client: ["name": "n", "version": "1"])
        #expect(try await who(server(), session) == "n/1 2025-11-25")
        let other = server(key: { Array(sealKey([1] + $0)) })
        #expect(try await who(other, session) == nil)
    }

    @Test func theSessionNamesTheRevisionWhenTheHeaderDoesNot() async throws {
        let server = server()
        for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            let session = try await server.session(version)
            #expect(try await who(server, session, version: nil) == "c/1 \(version)")
        }
        // The header says what this message is.
        let session = try await server.session("2025-11-25")
        #expect(try await who(server, session, version: "2025-06-18") == "c/1 2025-06-18")
        #expect(try await who(server, [], version: nil) == "nobody 2025-03-26")
    }

    @Test func withoutASealThereAreNoSessions() async throws {
        let server = server(sealed: false)
        #expect(try await server.answer(Send.hello()).headers["mcp-session-id"] == nil)
        let session = try await self.server().session()
        #expect(try await who(server, session) == "nobody 2025-11-25")
        #expect(try await who(server, [("Mcp-Session-Id", "anything")]) == "nobody 2025-11-25")
    }

    @Test func onlyASuccessfulInitializeGivesASession() async throws {
        let server = server()
        let session = try await server.session()
        for request in [
            Send.legacy("initialize", [:], version: nil), Send.legacy("ping"),
            Send.legacy("tools/list", headers: session),
            Send.legacy("notifications/initialized", id: nil, headers: session),
            Send.modern("server/discover"),
            Send.modern("initialize", ["protocolVersion": "2025-11-25", "capabilities": [:]]),
        ] {
            #expect(try await server.answer(request).headers["mcp-session-id"] == nil)
        }
    }

    @Test func everyTamperedCharacterIsNoticed() async throws {
        let server = server()
        let id = try await server.session()[0].value
        for index in id.indices {
            var tampered = id
            tampered.replaceSubrange(index...index, with: id[index] == "A" ? "B" : "A")
            let answer = try await server.answer(
                Send.legacy("ping", headers: [("mcp-session-id", tampered)]))
            #expect(answer.status == 404)
        }
    }

    @Test func aSessionThatDoesNotOpenIsNotFound() async throws {
        let server = server()
        let id = try await server.session()[0].value
        let eves = try await server.session(caller: "eve")[0].value
        let bad = [
            eves, "", ".", "a.b", "garbage", "é", id + ".x", id + "A", String(id.dropLast()), "\(id) \(id)",
            String(repeating: "A", count: 100_000), "6e3d4a40-7c1c-4a53-9f5e-0c9a55f3a1c2",
        ]
        let answer: JSONValue = ["jsonrpc": "2.0", "id": "ask-x", "result": [:]]
        for text in bad {
            let headers = [("Mcp-Session-Id", text)]
            let refused = try await server.answer(Send.legacy("tools/list", id: 7, headers: headers))
            #expect(refused.status == 404, "\(text.prefix(80))")
            #expect(refused.code == -32600)
            #expect(try refused.json["id"] == 7)
            let initialized = Send.legacy("notifications/initialized", id: nil, headers: headers)
            #expect(try await server.answer(initialized).status == 404)
            #expect(try await server.answer(Send.raw(answer, headers)).status == 404)
        }
        let twice = [("Mcp-Session-Id", id), ("Mcp-Session-Id", id)]
        #expect(try await server.answer(Send.legacy("ping", headers: twice)).status == 404)
        // A good one passes everywhere; the answer then fails for what it is.
        let good = [("Mcp-Session-Id", id)]
        #expect(try await server.answer(Send.legacy("ping", headers: good)).status == 200)
        let initialized = Send.legacy("notifications/initialized", id: nil, headers: good)
        #expect(try await server.answer(initialized).status == 202)
        #expect(try await server.answer(Send.raw(answer, good)).status == 400)
    }

    @Test func aRequestStateIsNoSession() async throws {
        var host = TestHost()
        host.add(.plain("ask")) { _ in .inputRequired(InputRequired([:], state: Array("{}".utf8))) }
        var configuration = MCPConfiguration()
        configuration.seal = .test
        let server = MCPServer(host: host, configuration: configuration)
        let asked = try await server.answer(Send.modern("tools/call", ["name": "ask"]))
        let state = try #require(asked.result["requestState"]?.stringValue)
        let answer = try await server.answer(Send.legacy("ping", headers: [("Mcp-Session-Id", state)]))
        #expect(answer.status == 404)
        let id = try await server.session()[0].value
        let swapped = Send.modern("tools/call", ["name": "ask", "requestState": .string(id)])
        #expect(try await server.answer(swapped).code == -32602)
    }

    @Test func aClientThatStartsAnewMayShowAnIDThatIsNoLongerGood() async throws {
        let server = server()
        let answer = try await server.answer(Send.hello(headers: [("Mcp-Session-Id", "stale")]))
        #expect(answer.status == 200)
        #expect(answer.headers["mcp-session-id"] != nil)
    }

    @Test func modernMessagesIgnoreASession() async throws {
        let server = server()
        let stale = [(name: "Mcp-Session-Id", value: Optional("stale"))]
        let answer = try await server.answer(Send.modern("tools/list", headers: stale))
        #expect(answer.status == 200)
        let notification = Send.modern("notifications/x", id: nil, headers: stale)
        #expect(try await server.answer(notification).status == 202)
        let session = try await server.session(client: ["name": "n", "version": "1"])
        let call = Send.modern(
            "tools/call", ["name": "who"], headers: session.map { ($0.name, Optional($0.value)) })
        let text = try await server.answer(call).result["content"]?[0]?["text"]
        #expect(text == "nobody 2026-07-28")
    }

    @Test(arguments: ["GET", "DELETE"])
    func aSessionCannotBeEndedOrListenedTo(method: String) async throws {
        let server = server()
        let headers = try await server.session() + [("Accept", "text/event-stream")]
        let answer = try await server.answer(
            MCPHTTPRequest(method: method, headers: HTTPHeaders(headers), body: []))
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "POST")
    }

    @Test(arguments: [
        "x", "\"", "\\", "\u{1}", "\u{7F}", "é", "漢", "👩‍👩‍👧‍👧", "e\u{301}\u{302}\u{303}\u{304}\u{305}",
    ])
    func longNamesAreCutAndTheIDStaysShort(character: String) async throws {
        let long = String(repeating: character, count: 5000)
        // The largest MAC in use.
        let server = server(key: { bytes in (0..<8).flatMap { _ in sealKey(bytes) } })
        let session = try await server.session(
            can: ["elicitation": ["form": [:], "url": [:]], "sampling": [:], "roots": [:]],
            client: ["name": .string(long), "version": .string(long)])
        #expect(session[0].value.utf8.count < 1024)
        let seen = try #require(try await who(server, session)?.dropLast(" 2025-11-25".count))
        let parts = seen.split(separator: "/")
        #expect(parts[0].count <= 100 && parts[1].count <= 50)
        #expect(long.hasPrefix(parts[0]) && long.hasPrefix(parts[1]))
        if character == "x" { #expect(parts[0].count == 100 && parts[1].count == 50) }
    }
}
