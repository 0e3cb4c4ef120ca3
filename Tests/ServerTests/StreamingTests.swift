import AsyncHTTPClient
import Hummingbird
import JSON
import MCP
import NIOCore
import NIOHTTP1
import Server
import ServiceLifecycle
import Synchronization
import Testing

/// Event streams over the real HTTP server: how they end must not end the process.
@Suite struct StreamingTests {
    /// One tool that streams until it is cancelled or has been told to go on.
    private final class Host: MCPHost {
        typealias Caller = String

        let wasCancelled = Mutex(false)
        let info = Implementation(name: "streams", version: "1")
        private let catalog = ToolCatalog([
            MCPTool(name: "wait", description: "Waits.", streaming: .always),
            MCPTool(name: "quick", description: "Streams and ends.", streaming: .always),
        ])

        func identity(of caller: String) -> String { caller }
        func tools(for caller: String) -> ToolCatalog { catalog }
        func call(_ call: ToolCall<String>) async throws -> ToolOutcome {
            guard call.name == "wait" else { return .text("done") }
            do { try await Task.sleep(for: .seconds(60)) } catch {
                wasCancelled.withLock { $0 = true }
                throw error
            }
            return .text("waited")
        }
    }

    private static func serve(_ host: Host, _ body: @escaping @Sendable (String) async throws -> Void)
        async throws
    {
        let server = MCPServer(host: host)
        let router = Router()
        router.post("/mcp") { request, _ in
            try await MCPHTTPAdapter.respond(server, to: request, caller: "someone")
        }
        let (ready, continuation) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                guard let port = await ready.first(where: { _ in true }) else { return }
                try await body("http://127.0.0.1:\(port)/mcp")
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private static func request(_ tool: String, _ url: String) -> HTTPClientRequest {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": [
                "name": .string(tool),
                "_meta": [
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": [:],
                ],
            ],
        ]
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = [
            "Content-Type": "application/json", "Accept": "text/event-stream, application/json",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
        ]
        request.body = .bytes(message.encoded())
        return request
    }

    @Test func aStreamThatEndsLeavesTheServerServing() async throws {
        try await Self.serve(Host()) { url in
            for _ in 0..<3 {
                let response = try await HTTPClient.shared.execute(
                    Self.request("quick", url), timeout: .seconds(10))
                let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
                #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
                #expect(text.contains("\"done\""))
            }
        }
    }

    @Test func aClientThatGoesAwayCancelsItsCallAndNothingElse() async throws {
        let host = Host()
        try await Self.serve(host) { url in
            let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
            let response = try await client.execute(Self.request("wait", url), timeout: .seconds(10))
            #expect(response.status == .ok)
            try await client.shutdown()
            for _ in 0..<500 where !host.wasCancelled.withLock({ $0 }) {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(host.wasCancelled.withLock { $0 })
            let next = try await HTTPClient.shared.execute(Self.request("quick", url), timeout: .seconds(10))
            #expect(next.status == .ok)
        }
    }
}
