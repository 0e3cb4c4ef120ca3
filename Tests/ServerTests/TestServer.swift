import AsyncHTTPClient
import Foundation
import JSON
import Kernel
import Logging
import NIOCore
import NIOHTTP1
import Server
import Storage
import TestSupport

/// The whole server on a free loopback port, for the length of a closure.
struct TestServer: Sendable {
    static let stripeSecret = "whsec_test"
    static let checkrKey = "checkr-test-key"

    let platform: Platform
    let url: String

    /// Runs `body` against a fresh server on a fresh database, then drains it.
    static func run(
        _ dialect: Dialect, clients: Clients = .unimplemented,
        configure: (inout Kernel.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let place = try await TestDatabase.place(dialect)
        let folder = FileManager.default.temporaryDirectory.appending(path: "server-\(UUID().uuidString)")
        var configuration = Kernel.Configuration()
        configuration.dataDirectory = folder.path
        if case .postgres(let text) = place.url { configuration.databaseURL = text }
        configuration.port = 0
        configuration.databasePoolSize = 4
        configuration.ratePerMinute = 0
        configuration.stripeWebhookSecret = stripeSecret
        configuration.checkrAPIKey = checkrKey
        configuration.checkrWebhookUser = "checkr"
        configuration.checkrWebhookPass = "pass"
        configure(&configuration)
        let platform = try await Platform.open(
            configuration, logger: TestDatabase.quiet, clients: clients)
        let (ready, continuation) = AsyncStream<String>.makeStream()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await platform.serve(api: true, worker: true) { continuation.yield($0) } }
                group.addTask {
                    guard let url = await ready.first(where: { _ in true }) else { return }
                    try await body(TestServer(platform: platform, url: url))
                }
                _ = try await group.next()
                group.cancelAll()
            }
        } catch {
            await platform.close()
            await place.remove()
            throw error
        }
        await platform.close()
        await place.remove()
        try? FileManager.default.removeItem(at: folder)
    }

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var bytes: [UInt8]
        var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    }

    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = Array(try await response.body.collect(upTo: 32 << 20).readableBytesView)
        return Answer(status: Int(response.status.code), headers: response.headers, bytes: bytes)
    }

    func token(_ scopes: [Kernel.Scope] = Kernel.Scope.allCases, lifetime: Duration = .seconds(3_600))
        async throws
        -> (text: String, id: ULID)
    {
        let context = platform.context(.system("test"), surface: .cli)
        return try await platform.database.transaction(context, category: .admin) { tx, _ in
            let made = try ServiceToken.create(
                name: "test", owner: "ada@example.com", scopes: scopes, lifetime: lifetime, tx, context)
            return (made.token, made.id)
        }
    }

    /// A modern MCP request with its headers.
    func mcp(
        _ method: String, _ params: JSONObject = [:], name: String? = nil, token: String?,
        capabilities: JSONObject = [:]
    ) async throws -> Answer {
        var params = params
        params["_meta"] = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": .object(capabilities),
            "io.modelcontextprotocol/clientInfo": ["name": "server-tests", "version": "1"],
        ]
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params),
        ]
        var headers = [
            ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method),
        ]
        if let name { headers.append(("Mcp-Name", name)) }
        return try await send(.POST, "/mcp", token: token, headers: headers, body: message.encoded())
    }

    func call(_ tool: String, _ arguments: JSONObject = [:], token: String?, capabilities: JSONObject = [:])
        async throws
        -> Answer
    {
        try await mcp(
            "tools/call", ["name": .string(tool), "arguments": .object(arguments)], name: tool, token: token,
            capabilities: capabilities)
    }

    /// Waits until `condition` holds; the worker and the recorder run on their own.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(.unavailable, "It never came true that \(what).")
    }

    func auditEntries(_ action: String, status: String) async throws -> Int {
        try await platform.database.read { db in
            try db.value("SELECT COUNT(*) FROM audit_logs WHERE action = \(action) AND status = \(status)")
                ?? 0
        }
    }
}
