package import JSON
package import Storage

// How our own value types look on the wire, for output schemas.

extension ULID: SchemaDescribing {
    package static var jsonSchema: JSONValue { .object(inputSchema) }
    package static var schemaExample: ULID { ULID(high: 0, low: 0) }
}

extension Instant: SchemaDescribing {
    package static var jsonSchema: JSONValue { .object(inputSchema) }
    package static var schemaExample: Instant { Instant(microseconds: 0) }
}
