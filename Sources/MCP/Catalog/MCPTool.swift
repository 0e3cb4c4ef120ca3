package import JSON

/// A tool as clients see it (schema: Tool).
package struct MCPTool: Sendable {
    /// What a client may assume without reading the description. The protocol's
    /// defaults are pessimistic, so every hint is stated.
    package struct Annotations: Sendable, Hashable {
        package var isReadOnly: Bool
        package var isDestructive: Bool
        package var isIdempotent: Bool
        package var isOpenWorld: Bool

        package init(
            isReadOnly: Bool = false, isDestructive: Bool = true, isIdempotent: Bool = false,
            isOpenWorld: Bool = true
        ) {
            self.isReadOnly = isReadOnly
            self.isDestructive = isDestructive
            self.isIdempotent = isIdempotent
            self.isOpenWorld = isOpenWorld
        }
    }

    /// When a call is answered with a stream of events rather than one document.
    ///
    /// It is decided before the tool runs, because a stream's HTTP status is 200
    /// for good. A tool without the fitting option cannot send that kind of
    /// message; what it sends is dropped.
    package struct Streaming: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        /// The tool reports progress: streams when the client sent a progress token.
        package static let progress = Streaming(rawValue: 1)
        /// The tool asks the user: streams for legacy clients that declared elicitation,
        /// which answer while it waits.
        package static let questions = Streaming(rawValue: 2)
        /// The tool logs, or is silent for long and needs keep-alives: always streams.
        package static let always = Streaming(rawValue: 4)
        /// The tool asks the client's model: streams for legacy clients that declared sampling.
        package static let sampling = Streaming(rawValue: 8)
    }

    package var name: String
    package var title: String?
    package var description: String
    /// A JSON Schema whose root is `"type":"object"`.
    package var inputSchema: JSONValue
    package var outputSchema: JSONValue?
    package var annotations: Annotations
    package var icons: [Icon]
    package var meta: JSONObject
    package var streaming: Streaming
    /// What a client must have declared, as a ClientCapabilities object; a modern
    /// request without it is refused with -32021 before the tool runs.
    package var requiredCapabilities: JSONObject

    package init(
        name: String, title: String? = nil, description: String,
        inputSchema: JSONValue = ["type": "object", "additionalProperties": false],
        outputSchema: JSONValue? = nil, annotations: Annotations = Annotations(), icons: [Icon] = [],
        meta: JSONObject = [:], streaming: Streaming = [], requiredCapabilities: JSONObject = [:]
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
        self.icons = icons
        self.meta = meta
        self.streaming = streaming
        self.requiredCapabilities = requiredCapabilities
    }

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writer.member("name", name)
        if revision.hasStructure, let title { writer.member("title", title) }
        writer.member("description", description)
        writer.key("inputSchema")
        writer.value(inputSchema)
        if let outputSchema, revision.isModern || revision.hasStructure && outputSchema["type"] == "object" {
            writer.key("outputSchema")
            writer.value(outputSchema)
        }
        if revision > .november2024 { writeAnnotations(to: &writer) }
        writer.finish(icons: icons, meta: meta, for: revision)
    }

    private func writeAnnotations(to writer: inout JSONWriter) {
        writer.key("annotations")
        writer.beginObject()
        if let title { writer.member("title", title) }
        writer.member("readOnlyHint", annotations.isReadOnly)
        writer.member("destructiveHint", annotations.isDestructive)
        writer.member("idempotentHint", annotations.isIdempotent)
        writer.member("openWorldHint", annotations.isOpenWorld)
        writer.endObject()
    }
}

extension JSONWriter {
    mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// A member that is left out when there is no value.
    mutating func member(_ name: String, ifPresent value: String?) {
        if let value { member(name, value) }
    }

    /// Icons and `_meta` where the revision knows them, then the end of the object.
    mutating func finish(icons: [Icon], meta: JSONObject, for revision: Revision) {
        if revision.hasIcons, !icons.isEmpty {
            key("icons")
            value(.array(icons.map(\.json)))
        }
        if revision.hasStructure, !meta.isEmpty {
            key("_meta")
            object(meta)
        }
        endObject()
    }
}
