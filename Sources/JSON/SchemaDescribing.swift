/// A type that states its own JSON Schema, because its decoder refuses the
/// sample values that ``JSONCoding/schema(of:)`` feeds to others.
package protocol SchemaDescribing {
    /// The schema of the value on the wire.
    static var jsonSchema: JSONValue { get }
    /// Any valid value; it stands in where the enclosing type needs one.
    static var schemaExample: Self { get }
}

/// Enums with string values only have to say that they conform.
extension SchemaDescribing where Self: CaseIterable & RawRepresentable, RawValue == String {
    package static var jsonSchema: JSONValue {
        ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })]
    }

    package static var schemaExample: Self { allCases[allCases.startIndex] }
}
