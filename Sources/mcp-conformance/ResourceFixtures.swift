import JSON
import MCP

/// Resources the suite lists and reads.
struct ResourceFixtures: Sendable {
    private static let templateStart = "test://template/"
    private static let templateEnd = "/data"

    let catalog = ResourceCatalog(
        [
            MCPResource(
                uri: "test://static-text", name: "static-text", title: "Static text",
                description: "A text that never changes.", mimeType: "text/plain"),
            MCPResource(
                uri: "test://static-binary", name: "static-binary", title: "Static image",
                description: "An image that never changes.", mimeType: "image/png"),
            MCPResource(
                uri: "test://watched-resource", name: "watched-resource", title: "Watched text",
                description: "A text to subscribe to.", mimeType: "text/plain"),
        ],
        templates: [
            MCPResourceTemplate(
                uriTemplate: "test://template/{id}/data", name: "template", title: "By id",
                description: "Data made from the id.", mimeType: "application/json")
        ],
        caching: Caching(milliseconds: 1000, scope: .public))

    func read(_ uri: String) throws(MCPError) -> ResourceOutcome {
        .contents([try contents(uri)], caching: Caching(milliseconds: 1000, scope: .public))
    }

    private func contents(_ uri: String) throws(MCPError) -> ResourceContents {
        switch uri {
        case "test://static-text":
            return ResourceContents(
                uri: uri, mimeType: "text/plain", .text("This is the content of the static text resource."))
        case "test://static-binary":
            return ResourceContents(uri: uri, mimeType: "image/png", .blob(ContentFixtures.image))
        case "test://watched-resource":
            return ResourceContents(uri: uri, mimeType: "text/plain", .text("Watched resource content"))
        default:
            guard uri.hasPrefix(Self.templateStart), uri.hasSuffix(Self.templateEnd) else {
                throw .resourceNotFound(uri)
            }
            let id = String(uri.dropFirst(Self.templateStart.count).dropLast(Self.templateEnd.count))
            guard !id.isEmpty, !id.contains("/") else { throw .resourceNotFound(uri) }
            let data: JSONValue = [
                "id": .string(id), "templateTest": true, "data": .string("Data for ID: \(id)"),
            ]
            return ResourceContents(uri: uri, mimeType: "application/json", .text(data.text))
        }
    }
}
