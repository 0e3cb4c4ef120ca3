import JSON

/// An argument that HTTP clients repeat in a header, because its schema has
/// `x-mcp-header` (2026-07-28, SEP-2243).
struct HeaderParameter: Sendable {
    /// `Mcp-Param-` and the annotated name.
    let header: String
    /// From the root of the arguments.
    let path: [String]

    /// All parameters reachable through `properties` alone.
    static func find(in schema: JSONValue, at path: [String] = []) -> [HeaderParameter] {
        guard case .object(let properties) = schema["properties"] else { return [] }
        var found: [HeaderParameter] = []
        for (name, property) in properties {
            let here = path + [name]
            if case .string(let header) = property["x-mcp-header"] {
                found.append(HeaderParameter(header: "Mcp-Param-\(header)", path: here))
            }
            found += find(in: property, at: here)
        }
        return found
    }

    /// Whether the header says what the body says. An argument that is absent
    /// or null expects no header.
    func matches(_ arguments: JSONObject, _ headers: HTTPHeaders) -> Bool {
        var value = JSONValue.object(arguments)
        for name in path { value = value[name] ?? .null }
        let expected: String
        switch value {
        case .null: return true
        case .string(let text): expected = text
        case .bool(let flag): expected = flag ? "true" : "false"
        case .int(let number):
            return HeaderValue.decode(headers[header]).flatMap { Double($0) } == Double(number)
        case .double(let number):
            return HeaderValue.decode(headers[header]).flatMap { Double($0) } == number
        case .array, .object: return true
        }
        return HeaderValue.decode(headers[header]) == expected
    }
}
