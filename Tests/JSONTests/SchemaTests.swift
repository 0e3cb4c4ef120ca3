import JSON
import Testing

@Suite struct SchemaTests {
    enum Level: String, Codable, SchemaDescribing, CaseIterable { case low, high }
    enum Plain: String, Codable, CaseIterable { case one, two }
    enum Opaque: String, Codable { case one }

    struct Instant: Codable, SchemaDescribing {
        static let jsonSchema: JSONValue = ["type": "string", "format": "date-time"]
        static let schemaExample = Instant()
        init() {}
        init(from decoder: any Decoder) throws { throw JSONError(.mismatch, "never run") }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode("2026-01-01T00:00:00Z")
        }
    }

    struct Row: Codable {
        var eventID: String
        var at: Instant
        var seenAt: Instant?
        var level: Level?
        var plain: Plain
    }

    struct Page: Codable {
        var rows: [Row]
        var total: Int
        var ratio: Double?
        var byName: [String: Row]
        var tags: Set<String>?
        var payload: RawJSON
        var anything: JSONValue?
        var object: JSONObject
        var size: UInt32
        var first: Row?
        var optionals: [Int?]
    }

    struct Node: Codable {
        var name: String
        var children: [Node]
        var named: [String: Node]
    }

    struct Bad: Codable { var list: [Opaque] }

    @Test func aNestedTypeIsDescribed() throws {
        let row: JSONValue = [
            "type": "object",
            "properties": [
                "event_id": ["type": "string"], "at": ["type": "string", "format": "date-time"],
                "seen_at": ["type": ["string", "null"], "format": "date-time"],
                "level": ["type": ["string", "null"], "enum": ["low", "high", nil]],
                "plain": ["type": "string", "enum": ["one", "two"]],
            ],
            "required": ["event_id", "at", "seen_at", "level", "plain"],
        ]
        var optionalRow = try #require(row.objectValue)
        optionalRow["type"] = ["object", "null"]
        let expected: JSONValue = [
            "type": "object",
            "properties": [
                "rows": ["type": "array", "items": row], "total": ["type": "integer"],
                "ratio": ["type": ["number", "null"]],
                "by_name": ["type": "object", "additionalProperties": row],
                "tags": ["type": ["array", "null"], "items": ["type": "string"]], "payload": [:],
                "anything": [:], "object": ["type": "object"], "size": ["type": "integer", "minimum": 0],
                "first": .object(optionalRow),
                "optionals": ["type": "array", "items": ["type": ["integer", "null"]]],
            ],
            "required": [
                "rows", "total", "ratio", "by_name", "tags", "payload", "anything", "object", "size",
                "first",
                "optionals",
            ],
        ]
        let schema = try JSONCoding.schema(of: Page.self)
        #expect(schema == expected, "\(schema)")
        #expect(schema.objectValue?.keys == ["type", "properties", "required"])
        #expect(schema["properties"]?.objectValue?.keys.first == "rows")
    }

    @Test func aRecursiveTypeIsDescribedOneLevelDeep() throws {
        let schema = try JSONCoding.schema(of: Node.self)
        #expect(schema["properties"]?["children"] == ["type": "array", "items": [:]])
        #expect(schema["properties"]?["named"] == ["type": "object", "additionalProperties": [:]])
    }

    @Test func aTypeThatCannotBeDescribedIsNamed() {
        let error = #expect(throws: JSONError.self) { try JSONCoding.schema(of: Bad.self) }
        #expect(error?.kind == .undescribable)
        #expect(error?.path == "list[0]")
        #expect(error?.message.contains("Opaque") == true)
    }

    @Test func scalarsAndTreesAreDescribed() throws {
        #expect(try JSONCoding.schema(of: Bool.self) == ["type": "boolean"])
        #expect(
            try JSONCoding.schema(of: [String: [Int]].self)
                == [
                    "type": "object",
                    "additionalProperties": ["type": "array", "items": ["type": "integer"]],
                ])
        #expect(try JSONCoding.schema(of: JSONValue.self) == [:])
        #expect(try JSONCoding.schema(of: String?.self) == ["type": ["string", "null"]])
    }
}
