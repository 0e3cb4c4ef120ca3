package import JSON

/// A call of a tool.
package struct ToolCall<Caller: Sendable>: Sendable {
    package let name: String
    /// Not yet validated against the input schema; empty when absent.
    package let arguments: JSONObject
    package let context: MCPContext<Caller>
}

/// What a tool answered.
package enum ToolOutcome: Sendable {
    case result(ToolResult)
    /// The client has to ask its user, model or roots and call again.
    case inputRequired(InputRequired)

    /// A result whose structured content is also its text.
    package static func structured(_ encoded: [UInt8], isError: Bool = false) -> ToolOutcome {
        .result(ToolResult(structured: encoded, isError: isError))
    }

    package static func text(_ text: String) -> ToolOutcome { .result(ToolResult(content: [.text(text)])) }

    /// The tool could not do it; the text tells a model what to change.
    package static func failure(_ text: String) -> ToolOutcome {
        .result(ToolResult(content: [.text(text)], isError: true))
    }
}

/// The end of a tool call (schema: CallToolResult).
package struct ToolResult: Sendable {
    /// One encoded JSON document, normally an object. It is sent as `structuredContent` and, because
    /// clients show one or the other, again as the first text block.
    package var structured: [UInt8]?
    /// Further blocks, after that text.
    package var content: [ContentBlock]
    package var isError: Bool
    package var meta: JSONObject

    package init(
        structured: [UInt8]? = nil, content: [ContentBlock] = [], isError: Bool = false,
        meta: JSONObject = [:]
    ) {
        self.structured = structured
        self.content = content
        self.isError = isError
        self.meta = meta
    }

    func writeMembers(to writer: inout JSONWriter, for revision: Revision) {
        writer.key("content")
        writer.beginArray()
        if let structured {
            writer.beginObject()
            writer.member("type", "text")
            writer.key("text")
            writer.stringContents(ofEncodedJSON: structured)
            writer.endObject()
        }
        for block in content { block.write(to: &writer, for: revision) }
        writer.endArray()
        // Before 2026-07-28 only objects are allowed there.
        if let structured, revision.isModern || revision.hasStructure && structured.first == UInt8(ascii: "{")
        {
            writer.key("structuredContent")
            writer.raw(structured)
        }
        if isError || !revision.isModern { writer.member("isError", isError) }
    }
}

/// A reading of a resource.
package struct ResourceRead<Caller: Sendable>: Sendable {
    /// As the client sent it: validate before use.
    package let uri: String
    package let context: MCPContext<Caller>
}

/// What a reading gave.
package enum ResourceOutcome: Sendable {
    /// Never empty for a resource that is not there: that is an error.
    case contents([ResourceContents], caching: Caching = .none)
    case inputRequired(InputRequired)
}

/// A use of a prompt.
package struct PromptCall<Caller: Sendable>: Sendable {
    package let name: String
    package let arguments: [String: String]
    package let context: MCPContext<Caller>
}

/// What a prompt became.
package enum PromptOutcome: Sendable {
    case messages([PromptMessage], description: String? = nil)
    case inputRequired(InputRequired)
}

/// One turn of a conversation that a prompt starts.
package struct PromptMessage: Sendable {
    /// Whose turn it is.
    package enum Role: String, Sendable { case user, assistant }
    package var role: Role
    package var content: ContentBlock

    package init(_ role: Role, _ content: ContentBlock) {
        self.role = role
        self.content = content
    }

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writer.member("role", role.rawValue)
        writer.key("content")
        content.write(to: &writer, for: revision)
        writer.endObject()
    }
}

/// A wish for values of an argument that is being typed.
package struct CompletionRequest<Caller: Sendable>: Sendable {
    /// What the argument belongs to.
    package enum Reference: Sendable, Hashable {
        case prompt(String)
        case resourceTemplate(String)
    }

    package let reference: Reference
    package let argument: String
    /// What has been typed so far.
    package let value: String
    /// Arguments that are already settled.
    package let settled: [String: String]
    package let context: MCPContext<Caller>
}

/// Values for an argument, best first.
package struct Completion: Sendable {
    package var values: [String]
    /// How many there are in all, when that is known.
    package var total: Int?

    package init(_ values: [String], total: Int? = nil) {
        self.values = values
        self.total = total
    }
}
