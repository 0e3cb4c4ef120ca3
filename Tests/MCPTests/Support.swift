import JSON
import MCP
import Synchronization
import Testing

/// A host whose tools are closures.
struct TestHost: MCPHost {
    typealias Call = @Sendable (ToolCall<String>) async throws -> ToolOutcome

    var info = Implementation(
        name: "test", version: "1.2.3", title: "Test", icons: [Icon(source: "https://x/i.png")])
    var instructions: String? = "Call things."
    var features = MCPFeatures()
    var catalog = ToolCatalog([])
    var calls: [String: Call] = [:]
    var resourceCatalog = ResourceCatalog(
        [MCPResource(uri: "test://a", name: "a", title: "A", mimeType: "text/plain")],
        templates: [MCPResourceTemplate(uriTemplate: "test://t/{id}", name: "t")])
    var promptCatalog = PromptCatalog([
        MCPPrompt(name: "greet", title: "Greet", arguments: [MCPPrompt.Argument("who", isRequired: true)])
    ])
    var events: @Sendable () -> AsyncStream<ChangeEvent> = { AsyncStream { $0.finish() } }
    var forbidden: [String: [String]] = [:]

    init() {
        features.prompts = true
        features.resources = true
        features.completions = true
    }

    mutating func add(_ tool: MCPTool, _ call: @escaping Call) {
        catalog = ToolCatalog(catalog.tools + [tool])
        calls[tool.name] = call
    }

    func identity(of caller: String) -> String { caller }
    func tools(for caller: String) -> ToolCatalog { catalog }
    func call(_ call: ToolCall<String>) async throws -> ToolOutcome {
        guard let run = calls[call.name] else { throw TestProblem() }
        return try await run(call)
    }

    func authorize(method: String, name: String?, caller: String) -> AuthorizationProblem? {
        guard let name, let scopes = forbidden[name] else { return nil }
        return .insufficientScope(
            scopes, resourceMetadata: "https://x/prm", message: "More scope is needed")
    }

    func resources(for caller: String) async throws -> ResourceCatalog { resourceCatalog }
    func read(_ read: ResourceRead<String>) async throws -> ResourceOutcome {
        guard read.uri == "test://a" else { throw MCPError.resourceNotFound(read.uri) }
        return .contents(
            [ResourceContents(uri: read.uri, mimeType: "text/plain", .text("hello"))],
            caching: Caching(milliseconds: 5, scope: .public))
    }

    func prompts(for caller: String) async throws -> PromptCatalog { promptCatalog }
    func prompt(_ call: PromptCall<String>) async throws -> PromptOutcome {
        .messages([PromptMessage(.user, .text("Hello \(call.arguments["who"] ?? "?")"))])
    }

    func complete(_ request: CompletionRequest<String>) async throws -> Completion {
        guard request.reference == .prompt("greet") else { throw MCPError.invalidParams("unknown ref") }
        return Completion((0..<150).map { "\(request.value)\($0)" })
    }

    func changes(for caller: String) -> AsyncStream<ChangeEvent> { events() }
    func incident(_ error: any Error, method: String, name: String?) -> String { "incident 7" }
}

struct TestProblem: Error, CustomStringConvertible {
    var description: String { "secret detail" }
}

/// An HTTP answer, read.
struct Answer {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var json: JSONValue {
        get throws { try JSONValue(parsing: body) }
    }
    var result: JSONValue { (try? json["result"] ?? .null) ?? .null }
    var code: Int? { (try? json["error"]?["code"]?.intValue) ?? nil }
    var error: JSONValue { (try? json["error"] ?? .null) ?? .null }
}

let sealKey: StateSeal.Sign = { bytes in
    // Not a MAC worth the name, but it depends on every byte and its place.
    var state: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes + [7, 7, 7] { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (0..<8).map { UInt8(truncatingIfNeeded: state >> (8 * UInt64($0))) }
}

extension StateSeal {
    /// A seal whose clock stands still.
    static let test = StateSeal(now: { 1_000_000 }, sign: sealKey)
}

extension MCPServer<TestHost> {
    /// Initializes as a legacy client and returns the headers it sends from then on.
    func session(
        _ version: String = "2025-11-25", can capabilities: JSONValue = ["elicitation": [:]],
        client: JSONValue? = ["name": "c", "version": "1"], caller: String = "ann"
    ) async throws -> [(name: String, value: String)] {
        let hello = Send.hello(version, can: capabilities, client: client)
        let id = try #require(try await answer(hello, caller: caller).headers["mcp-session-id"])
        return [("Mcp-Session-Id", id)]
    }

    /// Answers a request completely; a stream is a failure.
    func answer(_ request: MCPHTTPRequest, caller: String = "ann") async throws -> Answer {
        guard case .complete(let status, let headers, let body) = await respond(to: request, caller: caller)
        else {
            throw TestProblem()
        }
        return Answer(status: status, headers: HTTPHeaders(headers), body: body)
    }

    /// Answers a request with a stream and collects its messages.
    func messages(_ request: MCPHTTPRequest, caller: String = "ann") async throws -> [JSONValue] {
        guard case .stream(let stream) = await respond(to: request, caller: caller) else {
            throw TestProblem()
        }
        var messages: [JSONValue] = []
        try await stream.run { bytes in
            if let message = try Self.message(bytes) { messages.append(message) }
        }
        return messages
    }

    /// The message of an event; nil for a keep-alive.
    static func message(_ event: [UInt8]) throws -> JSONValue? {
        let text = String(decoding: event, as: UTF8.self)
        if text.hasPrefix(":") { return nil }
        let start = "event: message\ndata: "
        #expect(text.hasPrefix(start) && text.hasSuffix("\n\n"))
        return try JSONValue(parsing: String(text.dropFirst(start.count).dropLast(2)))
    }
}

/// Requests as a client of either era sends them.
enum Send {
    static func modern(
        _ method: String, _ params: JSONObject = [:], id: JSONValue? = 1, version: String = "2026-07-28",
        capabilities: JSONValue? = [:], meta: JSONObject = [:],
        headers changes: [(name: String, value: String?)] = []
    ) -> MCPHTTPRequest {
        var params = params
        var full: JSONObject = ["io.modelcontextprotocol/protocolVersion": .string(version)]
        if let capabilities { full["io.modelcontextprotocol/clientCapabilities"] = capabilities }
        params["_meta"] = .object(full.merging(meta))
        var headers: [(name: String, value: String)] = [
            ("MCP-Protocol-Version", version), ("Mcp-Method", method),
        ]
        let name =
            params["name"]?.stringValue ?? (method == "resources/read" ? params["uri"]?.stringValue : nil)
        if let name { headers.append(("Mcp-Name", name)) }
        for (name, value) in changes {
            headers.removeAll { $0.name == name }
            if let value { headers.append((name, value)) }
        }
        return raw(message(method, params, id), headers)
    }

    static func legacy(
        _ method: String, _ params: JSONObject? = nil, id: JSONValue? = 1, version: String? = "2025-11-25",
        headers: [(name: String, value: String)] = []
    ) -> MCPHTTPRequest {
        raw(message(method, params, id), headers + (version.map { [("MCP-Protocol-Version", $0)] } ?? []))
    }

    static func hello(
        _ version: String = "2025-11-25", can capabilities: JSONValue = [:],
        client: JSONValue? = ["name": "c", "version": "1"],
        headers: [(name: String, value: String)] = []
    ) -> MCPHTTPRequest {
        var params: JSONObject = ["protocolVersion": .string(version), "capabilities": capabilities]
        if let client { params["clientInfo"] = client }
        return legacy("initialize", params, version: nil, headers: headers)
    }

    static func raw(
        _ body: JSONValue, _ headers: [(name: String, value: String)] = [], method: String = "POST"
    ) -> MCPHTTPRequest {
        raw(body.encoded(), headers, method: method)
    }

    static func raw(
        _ body: [UInt8], _ headers: [(name: String, value: String)] = [], method: String = "POST",
        type: String? = "application/json"
    ) -> MCPHTTPRequest {
        let standard =
            [("Accept", "application/json, text/event-stream")]
            + (type.map { [("Content-Type", $0)] } ?? [])
        return MCPHTTPRequest(method: method, headers: HTTPHeaders(standard + headers), body: body)
    }

    static func message(_ method: String, _ params: JSONObject?, _ id: JSONValue?) -> JSONValue {
        var message: JSONObject = ["jsonrpc": "2.0"]
        if let id { message["id"] = id }
        message["method"] = .string(method)
        if let params { message["params"] = .object(params) }
        return .object(message)
    }
}

/// A one-time event that tests wait for instead of sleeping.
final class Signal: Sendable {
    private let pair = AsyncStream<Void>.makeStream()
    func fire() { pair.continuation.finish() }
    func wait() async { for await _ in pair.stream {} }
}

extension MCPTool {
    /// A tool without arguments.
    static func plain(
        _ name: String, streaming: Streaming = [], requires: JSONObject = [:]
    ) -> MCPTool {
        MCPTool(
            name: name, description: "Does \(name).", streaming: streaming, requiredCapabilities: requires)
    }
}
