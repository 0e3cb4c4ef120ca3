package import JSON

/// A piece of a tool's answer or of a prompt (schema: ContentBlock).
package enum ContentBlock: Sendable {
    case text(String)
    case image([UInt8], mimeType: String)
    case audio([UInt8], mimeType: String)
    /// A resource, in full.
    case resource(ResourceContents)
    /// A resource the client may read when it wants to (2025-06-18 and later).
    case link(MCPResource)
    /// Any of the above with annotations (`audience`, `priority`, `lastModified`).
    indirect case annotated(ContentBlock, JSONObject)

    func write(to writer: inout JSONWriter, for revision: Revision) {
        writer.beginObject()
        writeMembers(to: &writer, for: revision)
        writer.endObject()
    }

    private func writeMembers(to writer: inout JSONWriter, for revision: Revision) {
        switch self {
        case .text(let text):
            writer.member("type", "text")
            writer.member("text", text)
        case .image(let data, let mimeType):
            Self.writeMedia("image", data, mimeType, to: &writer)
        case .audio(let data, let mimeType):
            Self.writeMedia("audio", data, mimeType, to: &writer)
        case .resource(let contents):
            writer.member("type", "resource")
            writer.key("resource")
            contents.write(to: &writer)
        case .link(let resource) where revision.hasStructure:
            writer.member("type", "resource_link")
            resource.writeMembers(to: &writer, for: revision)
        case .link(let resource):
            writer.member("type", "text")
            writer.member("text", "\(resource.name): \(resource.uri)")
        case .annotated(let block, let annotations):
            block.writeMembers(to: &writer, for: revision)
            writer.key("annotations")
            writer.object(annotations)
        }
    }

    private static func writeMedia(
        _ type: String, _ data: [UInt8], _ mimeType: String, to writer: inout JSONWriter
    ) {
        writer.member("type", type)
        writer.member("data", Base64.encode(data))
        writer.member("mimeType", mimeType)
    }
}

/// What a resource holds (schema: TextResourceContents, BlobResourceContents).
package struct ResourceContents: Sendable {
    /// Text, or bytes that travel as Base64.
    package enum Body: Sendable {
        case text(String)
        case blob([UInt8])
    }

    package var uri: String
    package var mimeType: String?
    package var body: Body
    package var meta: JSONObject

    package init(uri: String, mimeType: String? = nil, _ body: Body, meta: JSONObject = [:]) {
        self.uri = uri
        self.mimeType = mimeType
        self.body = body
        self.meta = meta
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("uri", uri)
        writer.member("mimeType", ifPresent: mimeType)
        switch body {
        case .text(let text): writer.member("text", text)
        case .blob(let bytes): writer.member("blob", Base64.encode(bytes))
        }
        if !meta.isEmpty {
            writer.key("_meta")
            writer.object(meta)
        }
        writer.endObject()
    }
}
