package import JSON

/// A resource a client may read (schema: Resource).
package struct MCPResource: Sendable {
    package var uri: String
    package var name: String
    package var title: String?
    package var description: String?
    package var mimeType: String?
    /// In bytes.
    package var size: Int?
    package var icons: [Icon]
    package var meta: JSONObject

    package init(
        uri: String, name: String, title: String? = nil, description: String? = nil,
        mimeType: String? = nil,
        size: Int? = nil, icons: [Icon] = [], meta: JSONObject = [:]
    ) {
        self.uri = uri
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
        self.size = size
        self.icons = icons
        self.meta = meta
    }

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writeMembers(to: &writer, for: revision)
        writer.finish(icons: icons, meta: meta, for: revision)
    }

    /// The members, without the braces; a link in a result has them too.
    func writeMembers(to writer: inout JSONWriter, for revision: Revision) {
        writer.member("uri", uri)
        writer.member("name", name)
        if revision.hasStructure { writer.member("title", ifPresent: title) }
        writer.member("description", ifPresent: description)
        writer.member("mimeType", ifPresent: mimeType)
        if let size {
            writer.key("size")
            writer.int(size)
        }
    }
}

/// A family of resources whose URIs follow RFC 6570 (schema: ResourceTemplate).
package struct MCPResourceTemplate: Sendable {
    package var uriTemplate: String
    package var name: String
    package var title: String?
    package var description: String?
    package var mimeType: String?
    package var meta: JSONObject

    package init(
        uriTemplate: String, name: String, title: String? = nil, description: String? = nil,
        mimeType: String? = nil, meta: JSONObject = [:]
    ) {
        self.uriTemplate = uriTemplate
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
        self.meta = meta
    }

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writer.member("uriTemplate", uriTemplate)
        writer.member("name", name)
        if revision.hasStructure { writer.member("title", ifPresent: title) }
        writer.member("description", ifPresent: description)
        writer.member("mimeType", ifPresent: mimeType)
        writer.finish(icons: [], meta: meta, for: revision)
    }
}

/// The resources and templates a caller may see, encoded once.
package struct ResourceCatalog: Sendable {
    package let resources: [MCPResource]
    package let templates: [MCPResourceTemplate]
    package let caching: Caching
    let resourceList: EncodedList
    let templateList: EncodedList

    package init(
        _ resources: [MCPResource], templates: [MCPResourceTemplate] = [],
        caching: Caching = Caching(milliseconds: 60_000, scope: .private)
    ) {
        self.resources = resources
        self.templates = templates
        self.caching = caching
        resourceList = EncodedList("resources", resources) { $0.write(to: &$1, for: $2) }
        templateList = EncodedList("resourceTemplates", templates) { $0.write(to: &$1, for: $2) }
    }
}
