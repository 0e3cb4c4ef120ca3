/// Codable for our wire format: snake_case members in declaration order, every
/// member present (`nil` is written as `null`), embedded JSON spliced verbatim.
///
/// Member names follow ``WireKey``. Dates and bytes have no special form here:
/// types that need one encode themselves as strings.
package enum JSONCoding {
    /// How deep ``decode(_:from:)`` and ``value(_:)`` parse our own output.
    static let maximumDepth = 512

    /// Encodes a value in one pass, straight to bytes.
    ///
    /// Throws only what a type's own `encode(to:)` throws.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let core = EncodingCore()
        try core.writeValue(value, StreamEncoder(core))
        return core.writer.bytes
    }

    /// Encodes a value to a tree.
    package static func value(_ value: some Encodable) throws -> JSONValue {
        if let tree = value as? JSONValue { return tree }
        if let object = value as? JSONObject { return .object(object) }
        return try JSONValue(parsing: encode(value), maximumDepth: maximumDepth)
    }

    /// Decodes a tree; members no property asks for are ignored.
    ///
    /// Throws ``JSONError`` whose `path` says where, or what a type's own
    /// `init(from:)` throws.
    package static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        do {
            return try ValueDecoder.decode(type, value, .root)
        } catch let error as DecodingError {
            throw JSONError(error)
        }
    }

    /// Parses and decodes a document.
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try decode(type, from: JSONValue(parsing: bytes, maximumDepth: maximumDepth))
    }

    /// The JSON Schema (2020-12) of what ``encode(_:)`` writes for a type.
    ///
    /// Found by running the type's decoder against a recorder, so it needs no
    /// declaration: every member is required, optionals accept `null` too,
    /// dictionaries become `additionalProperties`, ``JSONValue`` and
    /// ``RawJSON`` become `{}`. A type whose decoder rejects sample values
    /// (validated strings, enums that are not `CaseIterable`) must conform to
    /// ``SchemaDescribing``; otherwise this throws ``JSONError`` of kind
    /// `undescribable` that names the member.
    package static func schema<T: Decodable>(of type: T.Type) throws -> JSONValue {
        try SchemaRecorder.describe(type, path: .root, context: SchemaContext()).schema
    }
}

extension JSONError {
    /// A standard decoding error, its path spelled in wire names.
    init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            self.init(.mismatch, context.debugDescription, path: Self.path(context.codingPath))
        case .valueNotFound(_, let context):
            self.init(.mismatch, "must not be null", path: Self.path(context.codingPath))
        case .keyNotFound(let key, let context):
            let path = Self.path(context.codingPath + [key])
            self.init(.missing, "is required", path: path)
        @unknown default:
            self.init(.mismatch, "cannot be decoded")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var path = ""
        for key in keys {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                let name =
                    WireKey.isVerbatim(type(of: key)) ? key.stringValue : WireKey.name(key.stringValue)
                path += path.isEmpty ? name : ".\(name)"
            }
        }
        return path
    }
}

extension JSONCoding {
    /// The member name that a property is written under: `eventID` → `event_id`.
    package static func memberName(_ property: String) -> String { WireKey.name(property) }
}
