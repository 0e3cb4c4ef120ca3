import JSON
import MCP
import Synchronization
import Testing

/// One message per line, both eras on one pipe.
@Suite struct StdioTests {
    /// A running server and the test's end of its pipe.
    private struct Pipe {
        let input: AsyncStream<[UInt8]>.Continuation
        let output: AsyncStream<JSONValue>

        func send(_ message: JSONValue) { input.yield(message.encoded()) }

        func send(_ method: String, _ params: JSONObject? = nil, id: JSONValue? = 1) {
            send(Send.message(method, params, id))
        }

        func modern(_ method: String, _ params: JSONObject = [:], id: JSONValue) {
            var params = params
            params["_meta"] = [
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": [:],
            ]
            send(method, params, id: id)
        }
    }

    /// Serves while the body runs, then ends the input and waits for the server.
    private func serve(
        limit: Duration = .seconds(10), _ change: (inout TestHost) -> Void = { _ in },
        _ body: (Pipe, inout AsyncStream<JSONValue>.Iterator) async throws -> Void
    ) async throws {
        var host = TestHost()
        change(&host)
        var configuration = MCPConfiguration()
        configuration.drainLimit = limit
        let stdio = MCPStdio(server: MCPServer(host: host, configuration: configuration), caller: "me")
        let (lines, input) = AsyncStream<[UInt8]>.makeStream()
        let (output, sink) = AsyncStream<JSONValue>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { sink.finish() }
                try await stdio.run(lines: lines) { line in
                    #expect(line.last == 0x0A && line.count { $0 == 0x0A } == 1)
                    sink.yield(try JSONValue(parsing: line))
                }
            }
            var iterator = output.makeAsyncIterator()
            try await body(Pipe(input: input, output: output), &iterator)
            input.finish()
            try await group.waitForAll()
        }
    }

    private let hello: JSONObject = [
        "protocolVersion": "2025-06-18", "capabilities": ["elicitation": [:]],
        "clientInfo": ["name": "c", "version": "2"],
    ]

    @Test func aProbeAndThenAHandshakeAreBothAnswered() async throws {
        try await serve { pipe, output in
            pipe.modern("server/discover", id: "probe")
            #expect(await output.next()?["result"]?["supportedVersions"] == ["2026-07-28"])
            pipe.send("initialize", hello)
            #expect(await output.next()?["result"]?["protocolVersion"] == "2025-06-18")
            pipe.send("notifications/initialized", id: nil)
            pipe.send("tools/list", id: 2)
            #expect(await output.next()?["id"] == 2)
            pipe.modern("ping", id: 3)
            #expect(await output.next()?["error"]?["code"] == -32601)
            pipe.send("server/discover", id: 4)
            #expect(await output.next()?["error"]?["code"] == -32602)
        }
    }

    @Test func linesThatAreNoMessageAreAnsweredWithoutAnId() async throws {
        try await serve { pipe, output in
            pipe.input.yield(Array("{nonsense".utf8))
            let parse = await output.next()
            #expect(parse?["error"]?["code"] == -32700 && parse?["id"] == nil)
            pipe.send([])
            #expect(await output.next()?["error"]?["code"] == -32600)
            pipe.input.yield([])
            pipe.input.yield(Array("  \r".utf8))
            pipe.send("ping", id: 9)
            #expect(await output.next()?["id"] == 9)
        }
    }

    @Test func requestsAreAnsweredAsTheyFinish() async throws {
        let release = Signal()
        try await serve { host in
            host.add(.plain("slow")) { _ in
                await release.wait()
                return .text("slow")
            }
        } _: { pipe, output in
            pipe.send("tools/call", ["name": "slow"], id: "a")
            pipe.send("ping", id: "b")
            #expect(await output.next()?["id"] == "b")
            release.fire()
            #expect(await output.next()?["id"] == "a")
        }
    }

    @Test func aCancelledRequestStopsAndIsNotAnswered() async throws {
        let started = Signal()
        let stopped = Signal()
        try await serve { host in
            host.add(.plain("endless")) { _ in
                started.fire()
                for await _ in AsyncStream<Void>.makeStream().stream {}
                stopped.fire()
                return .text("never sent")
            }
        } _: { pipe, output in
            pipe.send("tools/call", ["name": "endless"], id: 1)
            await started.wait()
            pipe.send("notifications/cancelled", ["requestId": 99], id: nil)
            pipe.send("notifications/cancelled", ["requestId": 1], id: nil)
            await stopped.wait()
            pipe.send("ping", id: 2)
            #expect(await output.next()?["id"] == 2)
        }
    }

    @Test func theEndOfInputLetsRequestsFinish() async throws {
        let started = Signal()
        let release = Signal()
        var last: JSONValue?
        try await serve { host in
            host.add(.plain("slow")) { _ in
                started.fire()
                await release.wait()
                return .text("finished")
            }
        } _: { pipe, output in
            pipe.send("tools/call", ["name": "slow"], id: 1)
            await started.wait()
            pipe.input.finish()
            release.fire()
            last = await output.next()
        }
        #expect(last?["result"]?["content"]?[0]?["text"] == "finished")
    }

    @Test func theEndOfInputDoesNotWaitForever() async throws {
        let started = Signal()
        try await serve(limit: .milliseconds(5)) { host in
            host.add(.plain("endless")) { _ in
                started.fire()
                for await _ in AsyncStream<Void>.makeStream().stream {}
                return .text("x")
            }
        } _: { pipe, _ in
            pipe.send("tools/call", ["name": "endless"], id: 1)
            await started.wait()
        }
    }

    @Test func listeningEndsWithTheInputAtOnce() async throws {
        let (changes, source) = AsyncStream<ChangeEvent>.makeStream()
        try await serve(limit: .seconds(3600)) { host in
            host.features.toolChanges = true
            host.events = { changes }
        } _: { pipe, output in
            pipe.modern("subscriptions/listen", ["notifications": ["toolsListChanged": true]], id: 7)
            #expect(await output.next()?["method"] == "notifications/subscriptions/acknowledged")
            source.yield(.tools)
            let change = await output.next()
            #expect(change?["method"] == "notifications/tools/list_changed")
            #expect(change?["params"]?["_meta"]?["io.modelcontextprotocol/subscriptionId"] == 7)
        }
    }

    @Test func aLegacyClientIsAskedOnThePipe() async throws {
        try await serve { host in
            host.add(.plain("ask")) { call in
                #expect(call.context.client == ClientInfo(name: "c", version: "2"))
                call.context.progress.report(1)
                let answer = try await call.context.elicit(message: "?", schema: ["type": "object"])
                return .text(answer == .decline ? "declined" : "else")
            }
        } _: { pipe, output in
            pipe.send("initialize", hello)
            _ = await output.next()
            pipe.send("tools/call", ["name": "ask", "_meta": ["progressToken": "p"]], id: 2)
            #expect(await output.next()?["params"]?["progressToken"] == "p")
            let question = await output.next()
            #expect(question?["method"] == "elicitation/create")
            pipe.send(["jsonrpc": "2.0", "id": question?["id"] ?? .null, "result": ["action": "decline"]])
            #expect(await output.next()?["result"]?["content"]?[0]?["text"] == "declined")
        }
    }

    @Test func aClientThatDeclaredNothingIsNotAsked() async throws {
        try await serve { host in
            host.add(.plain("ask")) { call in
                .text("\(try await call.context.elicit(message: "?", schema: ["type": "object"]))")
            }
        } _: { pipe, output in
            pipe.send("initialize", hello.merging(["capabilities": [:]]))
            _ = await output.next()
            pipe.send("tools/call", ["name": "ask"], id: 2)
            #expect(await output.next()?["result"]?["isError"] == true)
        }
    }

    @Test func authorizationRefusesOnThePipeToo() async throws {
        try await serve { host in
            host.add(.plain("admin")) { _ in .text("ran") }
            host.forbidden = ["admin": ["a:write"]]
        } _: { pipe, output in
            pipe.send("tools/call", ["name": "admin"])
            #expect(await output.next()?["error"]?["code"] == 403)
        }
    }

    @Test func linesAreCutFromAnyChunks() {
        var splitter = LineSplitter(maximumBytes: 10)
        #expect(splitter.add(Array("ab".utf8)) == [])
        #expect(splitter.add(Array("c\nde\n\nf".utf8)) == [Array("abc".utf8), Array("de".utf8), []])
        #expect(splitter.finish() == Array("f".utf8))
        #expect(splitter.finish() == nil)
        #expect(splitter.add(Array("0123456789x".utf8)).count == 1)
    }
}
