import JSON
import MCP
import Synchronization
import Testing

/// Streams whose reader is slow, gone, or told to stop.
@Suite struct BackpressureTests {
    private static let level: JSONObject = ["io.modelcontextprotocol/logLevel": "debug"]

    private func server(_ change: (inout TestHost) -> Void) -> MCPServer<TestHost> {
        var host = TestHost()
        host.features.logging = true
        change(&host)
        return MCPServer(host: host)
    }

    private func stream(_ server: MCPServer<TestHost>, _ request: MCPHTTPRequest) async throws -> EventStream
    {
        guard case .stream(let stream) = await server.respond(to: request, caller: "ann") else {
            throw TestProblem()
        }
        return stream
    }

    @Test func aSlowReaderMakesTheServerKeepOnlySomeMessages() async throws {
        let (isWriting, isLogged) = (Signal(), Signal())
        let server = server { host in
            host.add(.plain("talk", streaming: .always)) { call in
                call.context.logger.log(.info, 0)
                await isWriting.wait()
                for number in 1...10_000 { call.context.logger.log(.info, .int(number)) }
                isLogged.fire()
                return .text("done")
            }
        }
        let stream = try await stream(server, Send.modern("tools/call", ["name": "talk"], meta: Self.level))
        var written: [JSONValue] = []
        try await stream.run { bytes in
            if let message = try MCPServer.message(bytes) { written.append(message) }
            // The first write takes until all has been said.
            isWriting.fire()
            await isLogged.wait()
        }
        #expect(written.count == 66)
        #expect(written.dropLast().map { $0["params"]?["data"] } == (0...64).map { .int($0) })
        #expect(written.last?["result"]?["content"]?[0]?["text"] == "done")
    }

    @Test func aChangeThatWaitsToBeToldIsToldOnce() async throws {
        let isWriting = Signal()
        let isSent = Signal()
        let server = server { host in
            host.features.toolChanges = true
            host.features.resourceUpdates = true
            host.events = {
                let rounds = Mutex(0)
                return AsyncStream {
                    await isWriting.wait()
                    let round = rounds.withLock { count -> Int in
                        count += 1
                        return count
                    }
                    if round > 1000 {
                        isSent.fire()
                        return nil
                    }
                    return round.isMultiple(of: 2) ? .tools : .resource(uri: "test://a")
                }
            }
        }
        let filter: JSONObject = [
            "notifications": ["toolsListChanged": true, "resourceSubscriptions": ["test://a"]]
        ]
        let stream = try await stream(server, Send.modern("subscriptions/listen", filter))
        var methods: [JSONValue?] = []
        try await stream.run { bytes in
            if let message = try MCPServer.message(bytes) { methods.append(message["method"]) }
            isWriting.fire()
            await isSent.wait()
        }
        #expect(
            methods == [
                "notifications/subscriptions/acknowledged", "notifications/resources/updated",
                "notifications/tools/list_changed", nil,
            ])
    }

    @Test func afterAFailedWriteALegacyRequestRunsOnAndNothingMoreIsWritten() async throws {
        let isGone = Signal()
        let isDone = Mutex(false)
        let server = server { host in
            host.add(.plain("long", streaming: .always)) { call in
                call.context.logger.log(.info, "started")
                await isGone.wait()
                for number in 1...1000 {
                    call.context.logger.log(.info, .int(number))
                    await Task.yield()
                }
                isDone.withLock { $0 = !Task.isCancelled }
                return .text("done")
            }
        }
        let stream = try await stream(server, Send.legacy("tools/call", ["name": "long"]))
        #expect(!stream.cancelsOnDisconnect)
        var writes = 0
        await #expect(throws: TestProblem.self) {
            try await stream.run { _ in
                writes += 1
                isGone.fire()
                throw TestProblem()
            }
        }
        #expect(writes == 1)
        #expect(isDone.withLock { $0 })
    }

    @Test(arguments: [true, false], [true, false])
    func stoppingCancelsTheWorkAndTheClientHearsOfIt(isModern: Bool, isEarly: Bool) async throws {
        let server = server { host in
            host.add(.plain("endless", streaming: .always)) { call in
                call.context.logger.log(.info, "started")
                for await _ in AsyncStream<Void>.makeStream().stream {}
                try Task.checkCancellation()
                return .text("never")
            }
        }
        let request =
            isModern
            ? Send.modern("tools/call", ["name": "endless"], meta: Self.level)
            : Send.legacy("tools/call", ["name": "endless"])
        let stream = try await stream(server, request)
        if isEarly { stream.stop() }
        var last: JSONValue?
        try await stream.run { bytes in
            last = try MCPServer<TestHost>.message(bytes) ?? last
            stream.stop()
        }
        #expect(last?["id"] == 1)
        #expect(last?["error"]?["code"] == -32603)
        stream.stop()
    }

    @Test func workThatDoesNotHeedTheStopStillAnswers() async throws {
        let server = server { host in
            host.add(.plain("firm", streaming: .always)) { call in
                call.context.logger.log(.info, "started")
                while !Task.isCancelled { await Task.yield() }
                return .text("committed")
            }
        }
        let stream = try await stream(server, Send.legacy("tools/call", ["name": "firm"]))
        var last: JSONValue?
        try await stream.run { bytes in
            last = try MCPServer<TestHost>.message(bytes) ?? last
            stream.stop()
        }
        #expect(last?["result"]?["content"]?[0]?["text"] == "committed")
    }

    @Test func stoppingASubscriptionEndsItWithItsResult() async throws {
        let server = server { host in
            host.features.toolChanges = true
            host.events = { AsyncStream<ChangeEvent>.makeStream().stream }
        }
        let request = Send.modern("subscriptions/listen", ["notifications": ["toolsListChanged": true]])
        let stream = try await stream(server, request)
        var messages: [JSONValue] = []
        try await stream.run { bytes in
            if let message = try MCPServer.message(bytes) { messages.append(message) }
            stream.stop()
        }
        #expect(messages.count == 2)
        #expect(messages.last?["result"]?["resultType"] == "complete")
    }

    @Test func cancellingTheReaderCancelsTheWork() async throws {
        let isStarted = Signal()
        let wasCancelled = Mutex(false)
        let server = server { host in
            host.add(.plain("endless", streaming: .always)) { _ in
                isStarted.fire()
                for await _ in AsyncStream<Void>.makeStream().stream {}
                wasCancelled.withLock { $0 = Task.isCancelled }
                return .text("x")
            }
        }
        let stream = try await stream(server, Send.modern("tools/call", ["name": "endless"]))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await stream.run { _ in } }
            }
            await isStarted.wait()
            group.cancelAll()
        }
        #expect(wasCancelled.withLock { $0 })
    }

    @Test func concurrentReportsArriveInGrowingOrder() async throws {
        let server = server { host in
            host.add(.plain("race", streaming: .progress)) { call in
                await withTaskGroup(of: Void.self) { group in
                    for start in 0..<4 {
                        group.addTask {
                            for step in 0..<200 {
                                call.context.progress.report(Double(step * 4 + start))
                            }
                        }
                    }
                }
                return .text("done")
            }
        }
        let request = Send.modern("tools/call", ["name": "race"], meta: ["progressToken": 1])
        let messages = try await server.messages(request)
        let values = messages.dropLast().compactMap { $0["params"]?["progress"]?.intValue }
        #expect(!values.isEmpty && zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
    }
}
