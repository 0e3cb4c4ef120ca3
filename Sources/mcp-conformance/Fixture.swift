import JSON
import MCP

/// A tool that the public conformance suite expects, and what it does.
struct Fixture: Sendable {
    typealias Run = @Sendable (ToolCall<ConformanceHost.Caller>) async throws -> ToolOutcome

    let tool: MCPTool
    let run: Run

    init(
        _ name: String, _ description: String, schema: JSONValue = ["type": "object", "properties": [:]],
        streaming: MCPTool.Streaming = [], requires: JSONObject = [:], _ run: @escaping Run
    ) {
        tool = MCPTool(
            name: name, description: description, inputSchema: schema, streaming: streaming,
            requiredCapabilities: requires)
        self.run = run
    }

    /// An object schema of string properties.
    static func strings(_ names: String...) -> JSONValue {
        let properties = names.map { ($0, JSONValue.object(["type": "string"])) }
        return [
            "type": "object", "properties": .object(JSONObject(properties)),
            "required": .array(names.map { .string($0) }),
        ]
    }
}
