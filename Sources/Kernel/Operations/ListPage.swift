package import JSON
import Storage

/// A row that is encoded already; in schemas it is the row.
package struct EncodedRow<Value: Codable & Sendable>: Codable, Sendable, SchemaDescribing {
    let json: RawJSON

    init(_ value: Value) throws { json = RawJSON(unchecked: try JSONCoding.encode(value)) }
    private init(json: RawJSON) { self.json = json }

    package init(from decoder: any Decoder) throws { json = try RawJSON(from: decoder) }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(json)
    }

    package static var jsonSchema: JSONValue { JSONSchema.of(Value.self) }
    package static var schemaExample: EncodedRow { EncodedRow(json: RawJSON(.object([:]))) }
}

/// One page of a list, cut at a row count and at a byte count, whichever
/// comes first, so that an answer fits its reader whatever the data.
package struct ListPage<Value: Codable & Sendable>: Sendable {
    /// About 20,000 tokens.
    package static var byteBudget: Int { 80_000 }

    package var rows: [EncodedRow<Value>] = []
    package var nextCursor: String?
    /// The page ends early because its rows are large.
    package var isCutBySize = false

    /// - Parameter found: up to `limit + 1` rows; the extra one only tells that there are more.
    package init(_ found: [(id: ULID, value: Value)], limit: Int, from place: PageStart) throws {
        var bytes = 0
        for (index, item) in found.enumerated() {
            let row = try EncodedRow(item.value)
            bytes += row.json.bytes.count + 1
            isCutBySize = index > 0 && bytes > Self.byteBudget
            if index == limit || isCutBySize {
                nextCursor = place.cursor(after: found[index - 1].id)
                return
            }
            rows.append(row)
        }
    }
}
