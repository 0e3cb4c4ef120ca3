import JSON

/// Who a server is, for display only (schema: Implementation).
package struct Implementation: Sendable, Hashable {
    package var name: String
    package var version: String
    package var title: String?
    package var description: String?
    package var websiteURL: String?
    package var icons: [Icon]

    package init(
        name: String, version: String, title: String? = nil, description: String? = nil,
        websiteURL: String? = nil, icons: [Icon] = []
    ) {
        self.name = name
        self.version = version
        self.title = title
        self.description = description
        self.websiteURL = websiteURL
        self.icons = icons
    }

    /// With the members a revision knows; older clients reject others.
    func json(for revision: Revision) -> JSONObject {
        var object: JSONObject = ["name": .string(name)]
        if revision.hasStructure, let title { object["title"] = .string(title) }
        object["version"] = .string(version)
        guard revision.hasIcons else { return object }
        if let description { object["description"] = .string(description) }
        if let websiteURL { object["websiteUrl"] = .string(websiteURL) }
        if !icons.isEmpty { object["icons"] = .array(icons.map(\.json)) }
        return object
    }
}

/// A picture of a server, tool, resource or prompt (schema: Icon).
package struct Icon: Sendable, Hashable {
    /// An `https:` URL of the server's own origin, or a `data:` URL.
    package var source: String
    package var mimeType: String?
    /// Such as `48x48`.
    package var sizes: [String]

    package init(source: String, mimeType: String? = nil, sizes: [String] = []) {
        self.source = source
        self.mimeType = mimeType
        self.sizes = sizes
    }

    var json: JSONValue {
        var object: JSONObject = ["src": .string(source)]
        if let mimeType { object["mimeType"] = .string(mimeType) }
        if !sizes.isEmpty { object["sizes"] = .array(sizes.map { .string($0) }) }
        return .object(object)
    }
}
