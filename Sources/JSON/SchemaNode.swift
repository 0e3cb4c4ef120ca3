/// What a recorder has learnt about one value.
final class SchemaNode {
    /// What kind of value it is, as far as seen.
    enum Kind {
        case unknown
        case fixed(JSONValue)
        case object([(name: String, node: SchemaNode)])
        case dictionary(SchemaNode)
        case array(SchemaNode)
    }

    var kind = Kind.unknown
    var isNullable = false

    init(_ kind: Kind = .unknown) { self.kind = kind }

    /// The node of a member, added when it is new.
    func member(_ name: String) -> SchemaNode {
        var members: [(name: String, node: SchemaNode)] = []
        if case .object(let known) = kind { members = known }
        if let known = members.first(where: { $0.name == name }) { return known.node }
        let node = SchemaNode()
        members.append((name, node))
        kind = .object(members)
        return node
    }

    /// Makes this an object, keeping members that are known.
    func becomeObject() {
        if case .object = kind { return }
        kind = .object([])
    }

    /// The JSON Schema of what was recorded.
    var schema: JSONValue {
        let plain: JSONObject
        switch kind {
        case .unknown: plain = [:]
        case .fixed(let schema): plain = schema.objectValue ?? [:]
        case .array(let element): plain = ["type": "array", "items": element.schema]
        case .dictionary(let value): plain = ["type": "object", "additionalProperties": value.schema]
        case .object(let members):
            plain = [
                "type": "object",
                "properties": .object(JSONObject(members.map { ($0.name, $0.node.schema) })),
                "required": .array(members.map { .string($0.name) }),
            ]
        }
        return .object(isNullable ? Self.nullable(plain) : plain)
    }

    /// The schema widened to accept null.
    private static func nullable(_ schema: JSONObject) -> JSONObject {
        guard !schema.isEmpty else { return schema }
        var types: [JSONValue]
        switch schema["type"] {
        case .string(let name): types = [.string(name)]
        case .array(let names): types = names
        default: return ["anyOf": [.object(schema), ["type": "null"]]]
        }
        if schema.contains("const") { return ["anyOf": [.object(schema), ["type": "null"]]] }
        var widened = schema
        if !types.contains("null") { types.append("null") }
        widened["type"] = .array(types)
        if case .array(let values) = schema["enum"], !values.contains(.null) {
            widened["enum"] = .array(values + [.null])
        }
        return widened
    }
}
