import JSON
import MCP
import Synchronization
import Testing

/// Progress, questions, subscriptions and cancellation over HTTP streams.
@Suite struct StreamTests {
    private func server(
        _ configuration: MCPConfiguration = MCPConfiguration(), _ change: (inout TestHost) -> Void
    ) -> MCPServer<TestHost> {
        var host = TestHost()
        change(&host)
        var configuration = configuration
        configuration.seal = .test
        return MCPServer(host: host, configuration: configuration)
    }

    private func progressing(_ host: inout TestHost) {
        host.add(.plain("work", streaming: .progress)) { call in
            let progress = call.context.progress
            progress.report(0, of: 100)
            progress.report(50, of: 100, message: "half")
            progress.report(50, of: 100)
            progress.report(20, of: 100)
            progress.report(100, of: 100)
            return .text(progress.isWanted ? "reported" : "silent")
        }
    }

    @Test(arguments: [JSONValue.string("t"), .int(7)])
    func progressGrowsAndEndsWithTheResult(token: JSONValue) async throws {
        let server = server { progressing(&$0) }
        let params: JSONObject = ["name": "work"]
        let modern = try await server.messages(
            Send.modern("tools/call", params, meta: ["progressToken": token]))
        let legacy = try await server.messages(
            Send.legacy("tools/call", params.merging(["_meta": ["progressToken": token]])))
        for messages in [modern, legacy] {
            #expect(
                messages.dropLast().map { $0["method"] }
                    == Array(repeating: "notifications/progress", count: 3))
            #expect(messages.dropLast().map { $0["params"]?["progress"] } == [0, 50, 100])
            #expect(messages.first?["params"] == ["progressToken": token, "progress": 0, "total": 100])
            #expect(messages[1]["params"]?["message"] == "half")
            #expect(messages.last?["result"]?["content"]?[0]?["text"] == "reported")
            #expect(messages.last?["id"] == 1)
        }
    }

    @Test func withoutATokenOrAStreamTheAnswerIsPlainJSON() async throws {
        let server = server { progressing(&$0) }
        let answer = try await server.answer(Send.modern("tools/call", ["name": "work"]))
        #expect(answer.result["content"]?[0]?["text"] == "silent")
        var request = Send.modern("tools/call", ["name": "work"], meta: ["progressToken": 1])
        request.headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Accept", "application/json"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "work"), ("MCP-Protocol-Version", "2026-07-28"),
        ])
        #expect(try await server.answer(request).result["content"]?[0]?["text"] == "silent")
    }

    @Test func nothingFollowsTheResponse() async throws {
        let kept = Mutex<ProgressReporter?>(nil)
        let server = server { host in
            host.add(.plain("work", streaming: .progress)) { call in
                kept.withLock { $0 = call.context.progress }
                return .text("done")
            }
        }
        let request = Send.modern("tools/call", ["name": "work"], meta: ["progressToken": 1])
        let messages = try await server.messages(request)
        kept.withLock { $0 }?.report(1)
        #expect(messages.count == 1)
    }

    @Test func errorsBeforeTheStreamKeepTheirStatus() async throws {
        let server = server { host in
            host.add(.plain("s", streaming: .always, requires: ["sampling": [:]])) { _ in .text("x") }
        }
        let answer = try await server.answer(Send.modern("tools/call", ["name": "s"]))
        #expect(answer.status == 400 && answer.code == -32021)
    }

    @Test func logsNeedALevelInTheModernEra() async throws {
        let server = server { host in
            host.features.logging = true
            host.add(.plain("log", streaming: .always)) { call in
                call.context.logger.log(.debug, "d")
                call.context.logger.log(.info, "i", logger: "x")
                call.context.logger.log(.error, ["e": 1])
                return .text("done")
            }
        }
        func levels(_ request: MCPHTTPRequest) async throws -> [JSONValue?] {
            try await server.messages(request).dropLast().map { $0["params"]?["level"] }
        }
        let params: JSONObject = ["name": "log"]
        let key = "io.modelcontextprotocol/logLevel"
        #expect(try await levels(Send.modern("tools/call", params)) == [])
        #expect(try await levels(Send.modern("tools/call", params, meta: [key: "error"])) == ["error"])
        #expect(try await levels(Send.modern("tools/call", params, meta: [key: "debug"])).count == 3)
        #expect(try await levels(Send.legacy("tools/call", params)) == ["info", "error"])
    }

    @Test func silenceIsFilledWithComments() async throws {
        var configuration = MCPConfiguration()
        configuration.keepAlive = .milliseconds(1)
        let enough = Signal()
        let server = server(configuration) { host in
            host.add(.plain("slow", streaming: .always)) { _ in
                await enough.wait()
                return .text("done")
            }
        }
        guard
            case .stream(let stream) = await server.respond(
                to: Send.modern("tools/call", ["name": "slow"]), caller: "ann")
        else { throw TestProblem() }
        #expect(HTTPHeaders(stream.headers)["content-type"] == "text/event-stream")
        #expect(HTTPHeaders(stream.headers)["x-accel-buffering"] == "no")
        var comments = 0
        var last: JSONValue?
        try await stream.run { bytes in
            if bytes == Array(": ping\n\n".utf8) {
                comments += 1
            } else {
                last = try MCPServer.message(bytes)
            }
            if comments == 3 { enough.fire() }
        }
        #expect(comments >= 3)
        #expect(last?["result"] != nil)
    }

    @Test func aLegacyClientIsAskedOnTheStream() async throws {
        let server = server { host in
            host.add(.plain("ask", streaming: .questions)) { call in
                let answer = try await call.context.elicit(message: "Name?", schema: ["type": "object"])
                return .text("\(answer)")
            }
        }
        guard
            case .stream(let stream) = try await server.respond(
                to: Send.legacy("tools/call", ["name": "ask"], headers: server.session()), caller: "ann")
        else { throw TestProblem() }
        var result: JSONValue?
        try await stream.run { bytes in
            guard let message = try MCPServer.message(bytes) else { return }
            guard message["method"] == "elicitation/create", let id = message["id"] else {
                result = message["result"]
                return
            }
            #expect(message["params"] == ["message": "Name?", "requestedSchema": ["type": "object"]])
            let body: JSONValue = [
                "jsonrpc": "2.0", "id": id, "result": ["action": "accept", "content": ["name": "Bo"]],
            ]
            // Another caller's answer is not taken.
            #expect(try await server.answer(Send.raw(body), caller: "eve").status == 400)
            let taken = try await server.answer(Send.raw(body))
            #expect(taken.status == 202 && taken.body.isEmpty)
            #expect(try await server.answer(Send.raw(body)).status == 400)
        }
        #expect(result?["content"]?[0]?["text"]?.stringValue?.contains("Bo") == true)
    }

    @Test func aModernQuestionIsTranslatedForALegacyClient() async throws {
        let server = server { host in
            host.add(.plain("two", streaming: .questions)) { call in
                let context = call.context
                guard let step = context.state else {
                    return .inputRequired(
                        InputRequired(["a": .elicit(message: "A?", schema: ["type": "object"])], state: [1])
                    )
                }
                guard step == [2] else {
                    #expect(context.inputResponses["a"]?["action"] == "decline")
                    return .inputRequired(
                        InputRequired(["b": .elicit(message: "B?", schema: ["type": "object"])], state: [2])
                    )
                }
                return .text("\(ElicitationAnswer(context.inputResponses["b"] ?? .null))")
            }
        }
        guard
            case .stream(let stream) = try await server.respond(
                to: Send.legacy(
                    "tools/call", ["name": "two"], version: "2025-06-18",
                    headers: server.session("2025-06-18")), caller: "ann")
        else { throw TestProblem() }
        var asked: [JSONValue?] = []
        var result: JSONValue?
        try await stream.run { bytes in
            guard let message = try MCPServer.message(bytes) else { return }
            guard let id = message["id"], message["method"] != nil else {
                result = message["result"]
                return
            }
            asked.append(message["params"]?["message"])
            let body: JSONValue = ["jsonrpc": "2.0", "id": id, "result": ["action": "decline"]]
            #expect(try await server.answer(Send.raw(body)).status == 202)
        }
        #expect(asked == ["A?", "B?"])
        #expect(result?["content"]?[0]?["text"] == "decline")
    }

    @Test func aClientThatCannotBeAskedGetsAnExplanation() async throws {
        var configuration = MCPConfiguration()
        configuration.answerLimit = .milliseconds(5)
        let server = server(configuration) { host in
            host.add(.plain("ask", streaming: .questions)) { _ in
                .inputRequired(InputRequired(["a": .elicit(message: "A?", schema: ["type": "object"])]))
            }
        }
        // Too old to be asked, and without a session.
        for (version, headers) in [
            ("2025-03-26", try await server.session("2025-03-26")), ("2025-11-25", []),
        ] {
            let request = Send.legacy("tools/call", ["name": "ask"], version: version, headers: headers)
            let answer = try await server.answer(request)
            #expect(answer.status == 200)
            #expect(answer.result["isError"] == true)
            #expect(answer.result["content"]?[0]?["text"]?.stringValue?.contains("argument") == true)
        }
        // Silent.
        let silent = try await server.messages(
            Send.legacy("tools/call", ["name": "ask"], headers: server.session()))
        #expect(silent.map { $0["method"] } == ["elicitation/create", "notifications/cancelled", nil])
        #expect(silent.last?["result"]?["isError"] == true)
        #expect(silent[1]["params"]?["requestId"] == silent[0]["id"])
    }

    @Test func changesAreStreamedToThoseWhoAskedForThem() async throws {
        let server = server { host in
            host.features.toolChanges = true
            host.features.resourceUpdates = true
            host.events = {
                AsyncStream { continuation in
                    let uris = ["test://a", "test://other"]
                    for event in [.tools, .prompts, .resources]
                        + uris.map({ ChangeEvent.resource(uri: $0) })
                    {
                        continuation.yield(event)
                    }
                    continuation.finish()
                }
            }
        }
        let filter: JSONObject = [
            "notifications": [
                "toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://a"],
            ]
        ]
        for id in [JSONValue.int(5), "five"] {
            let messages = try await server.messages(Send.modern("subscriptions/listen", filter, id: id))
            #expect(
                messages.map { $0["method"] } == [
                    "notifications/subscriptions/acknowledged", "notifications/tools/list_changed",
                    "notifications/resources/updated", nil,
                ])
            #expect(
                messages[0]["params"]?["notifications"]
                    == ["toolsListChanged": true, "resourceSubscriptions": ["test://a"]])
            #expect(messages[2]["params"]?["uri"] == "test://a")
            let key = "io.modelcontextprotocol/subscriptionId"
            for message in messages.dropLast() { #expect(message["params"]?["_meta"]?[key] == id) }
            #expect(messages[3]["id"] == id)
            #expect(messages[3]["result"]?["_meta"]?[key] == id)
            #expect(messages[3]["result"]?["resultType"] == "complete")
        }
    }

    @Test func aModernDisconnectCancelsAndALegacyOneDoesNot() async throws {
        let outcomes = Mutex<[String]>([])
        let server = server { host in
            host.add(.plain("slow", streaming: .always)) { call in
                call.context.logger.log(.error, "started")
                let gone = call.arguments["until"] == "cancelled"
                if gone {
                    // Ends only by cancellation.
                    for await _ in AsyncStream<Void>.makeStream().stream {}
                }
                outcomes.withLock { $0.append(Task.isCancelled ? "cancelled" : "finished") }
                return .text("x")
            }
            host.features.logging = true
        }
        let modern = Send.modern(
            "tools/call", ["name": "slow", "arguments": ["until": "cancelled"]],
            meta: ["io.modelcontextprotocol/logLevel": "info"])
        let legacy = Send.legacy("tools/call", ["name": "slow"])
        for (request, cancels) in [(modern, true), (legacy, false)] {
            guard case .stream(let stream) = await server.respond(to: request, caller: "ann") else {
                throw TestProblem()
            }
            #expect(stream.cancelsOnDisconnect == cancels)
            await #expect(throws: TestProblem.self) { try await stream.run { _ in throw TestProblem() } }
        }
        #expect(outcomes.withLock { $0 } == ["cancelled", "finished"])
    }
}
