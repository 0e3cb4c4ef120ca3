import JSON
import MCP
import Testing

/// What legacy HTTP clients can be asked for, and that hosts are told the truth about it.
@Suite struct AskingTests {
    private typealias Headers = [(name: String, value: String)]

    private static let form = InputRequest.elicit(message: "Sure?", schema: ["type": "object"])

    private func server() -> MCPServer<TestHost> {
        var host = TestHost()
        let report: TestHost.Call = { call in
            let client = call.context.capabilities
            let can = [
                (call.context.canAsk, "ask"), (client.fillsForms, "form"), (client.opensURLs, "url"),
                (client.samples, "sampling"), (client.listsRoots, "roots"),
            ]
            return .text(can.filter(\.0).map(\.1).joined(separator: " "))
        }
        host.add(.plain("plain"), report)
        host.add(.plain("asks", streaming: .questions), report)
        host.add(.plain("samples", streaming: .sampling), report)
        host.add(.plain("streams", streaming: .always), report)
        host.add(.plain("careful", streaming: .questions)) { call in
            call.context.capabilities.fillsForms
                ? .inputRequired(InputRequired(["a": Self.form])) : .text("use the token")
        }
        host.add(.plain("careless", streaming: .questions)) { _ in
            .inputRequired(InputRequired(["a": Self.form]))
        }
        host.add(.plain("greedy", streaming: .questions)) { _ in
            .inputRequired(InputRequired(["a": Self.form, "b": .sample([:])]))
        }
        host.add(.plain("direct", streaming: .questions)) { call in
            .text("\(try await call.context.ask(.sample([:])))")
        }
        host.add(.plain("empty", streaming: .questions)) { _ in .inputRequired(InputRequired([:])) }
        var configuration = MCPConfiguration()
        configuration.seal = .test
        configuration.answerLimit = .milliseconds(5)
        return MCPServer(host: host, configuration: configuration)
    }

    /// The text of a call's result, after `stream: ` when it came on a stream.
    private func call(
        _ server: MCPServer<TestHost>, _ tool: String, _ headers: Headers,
        version: String = "2025-11-25", accept: String = "application/json, text/event-stream"
    ) async throws -> String {
        let message = Send.message("tools/call", ["name": .string(tool)], 1)
        let all: Headers = [
            ("Content-Type", "application/json"), ("Accept", accept), ("MCP-Protocol-Version", version),
        ]
        let request = MCPHTTPRequest(
            method: "POST", headers: HTTPHeaders(all + headers), body: message.encoded())
        switch await server.respond(to: request, caller: "ann") {
        case .complete(let status, _, let body):
            #expect(status == 200)
            return try JSONValue(parsing: body)["result"]?["content"]?[0]?["text"]?.stringValue ?? "error"
        case .stream(let stream):
            var last: JSONValue?
            try await stream.run { last = try MCPServer<TestHost>.message($0) ?? last }
            return "stream: " + (last?["result"]?["content"]?[0]?["text"]?.stringValue ?? "error")
        }
    }

    private static let everything: JSONValue = [
        "elicitation": ["form": [:], "url": [:]], "sampling": [:], "roots": [:],
    ]

    @Test(
        arguments: [
            ("2025-11-25", [:], ""), ("2025-11-25", ["roots": [:]], ""),
            ("2025-11-25", ["elicitation": [:]], "stream: ask form"),
            ("2025-11-25", ["elicitation": ["form": [:]]], "stream: ask form"),
            ("2025-11-25", ["elicitation": ["url": [:]]], "stream: ask url"),
            ("2025-11-25", everything, "stream: ask form url sampling roots"),
            ("2025-06-18", everything, "stream: ask form sampling roots"),
            ("2025-06-18", ["elicitation": [:]], "stream: ask form"),
            ("2025-03-26", everything, ""), ("2024-11-05", ["elicitation": [:]], ""),
            ("2025-11-25", ["sampling": [:]], ""), ("2025-11-25", ["elicitation": nil], ""),
        ] as [(String, JSONValue, String)])
    func aToolThatAsksStreamsOnlyForClientsThatDeclaredElicitation(
        version: String, declared: JSONValue, expected: String
    ) async throws {
        let server = server()
        let session = try await server.session(version, can: declared)
        #expect(try await call(server, "asks", session, version: version) == expected)
    }

    @Test func aToolThatSamplesStreamsOnlyForClientsThatDeclaredSampling() async throws {
        let server = server()
        let samples = try await server.session("2025-03-26", can: ["sampling": [:]])
        #expect(try await call(server, "samples", samples, version: "2025-03-26") == "stream: ask sampling")
        #expect(try await call(server, "samples", server.session()) == "")
        #expect(try await call(server, "samples", []) == "")
    }

    @Test func withoutASessionNothingIsKnownAndNothingIsAsked() async throws {
        let server = server()
        #expect(try await call(server, "asks", []) == "")
        #expect(try await call(server, "streams", []) == "stream: ")
        #expect(try await call(server, "careful", []) == "use the token")
        #expect(try await call(server, "careless", []).contains("as an argument"))
    }

    @Test(arguments: ["application/json", "text/event-stream;q=0, */*; q=0.0", "application/*", ""])
    func withoutAStreamNothingCanBeAsked(accept: String) async throws {
        let server = server()
        let session = try await server.session(can: Self.everything)
        for tool in ["asks", "streams", "samples", "plain"] {
            #expect(try await call(server, tool, session, accept: accept) == "")
        }
        #expect(try await call(server, "careful", session, accept: accept) == "use the token")
        #expect(try await call(server, "careless", session, accept: accept).contains("as an argument"))
    }

    @Test(arguments: ["*/*", "text/*", "application/json;q=0.5,TEXT/Event-Stream ; q=0.1"])
    func aStreamIsAcceptedInManyForms(accept: String) async throws {
        let server = server()
        let session = try await server.session()
        #expect(try await call(server, "asks", session, accept: accept) == "stream: ask form")
    }

    @Test func aToolThatNeverStreamsCannotAsk() async throws {
        let server = server()
        let session = try await server.session(can: Self.everything)
        #expect(try await call(server, "plain", session) == "")
        #expect(try await call(server, "streams", session) == "stream: ask form url sampling roots")
    }

    @Test func nobodyIsAskedForWhatTheClientCannotAnswer() async throws {
        let server = server()
        let session = try await server.session(can: ["elicitation": [:]])
        for tool in ["greedy", "direct"] {
            let request = Send.legacy("tools/call", ["name": .string(tool)], headers: session)
            let messages = try await server.messages(request)
            #expect(messages.count == 1)
            #expect(messages[0]["result"]?["isError"] == true)
        }
    }

    @Test func askingForNothingIsTheHostsMistakeInBothEras() async throws {
        let server = server()
        let modern = try await server.answer(Send.modern("tools/call", ["name": "empty"]))
        let legacy = try await server.answer(Send.legacy("tools/call", ["name": "empty"]))
        #expect(modern.code == -32603 && legacy.code == -32603)
    }

    @Test func absentMayBeSpelledNull() async throws {
        let server = server()
        for request in [
            Send.raw(["jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": nil]),
            Send.legacy("tools/list", ["cursor": nil]),
            Send.legacy("tools/call", ["name": "plain", "arguments": nil]),
            Send.legacy("prompts/get", ["name": "greet", "arguments": ["who": "x"], "_meta": nil]),
        ] {
            let answer = try await server.answer(request)
            #expect(answer.status == 200 && answer.code == nil)
        }
        #expect(try await server.answer(Send.legacy("tools/list", ["cursor": ""])).code == -32602)
        let list = Send.legacy("tools/call", ["name": "plain", "arguments": []])
        #expect(try await server.answer(list).code == -32602)
    }
}
