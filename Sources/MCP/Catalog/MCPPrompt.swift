import JSON

/// A prompt a user may pick (schema: Prompt).
package struct MCPPrompt: Sendable {
    /// What a prompt is filled with; values are strings.
    package struct Argument: Sendable {
        package var name: String
        package var title: String?
        package var description: String?
        package var isRequired: Bool

        package init(
            _ name: String, title: String? = nil, description: String? = nil, isRequired: Bool = false
        ) {
            self.name = name
            self.title = title
            self.description = description
            self.isRequired = isRequired
        }
    }

    package var name: String
    package var title: String?
    package var description: String?
    package var arguments: [Argument]
    package var icons: [Icon]

    package init(
        name: String, title: String? = nil, description: String? = nil, arguments: [Argument] = [],
        icons: [Icon] = []
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.arguments = arguments
        self.icons = icons
    }

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writer.member("name", name)
        if revision.hasStructure { writer.member("title", ifPresent: title) }
        writer.member("description", ifPresent: description)
        if !arguments.isEmpty {
            writer.key("arguments")
            writer.beginArray()
            for argument in arguments {
                writer.beginObject()
                writer.member("name", argument.name)
                if revision.hasStructure { writer.member("title", ifPresent: argument.title) }
                writer.member("description", ifPresent: argument.description)
                writer.member("required", argument.isRequired)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.finish(icons: icons, meta: [:], for: revision)
    }
}

/// The prompts a caller may see, encoded once.
package struct PromptCatalog: Sendable {
    package let prompts: [MCPPrompt]
    package let caching: Caching
    let list: EncodedList

    package init(_ prompts: [MCPPrompt], caching: Caching = Caching(milliseconds: 300_000, scope: .private)) {
        self.prompts = prompts
        self.caching = caching
        list = EncodedList("prompts", prompts) { $0.write(to: &$1, for: $2) }
    }

    package subscript(_ name: String) -> MCPPrompt? { prompts.first { $0.name == name } }
}
