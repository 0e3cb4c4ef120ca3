/// A document that is already encoded, spliced verbatim by ``JSONCoding/encode(_:)``.
///
/// Other encoders write it as the tree it stands for. Equality is equality of
/// bytes.
package struct RawJSON: Sendable, Hashable {
    /// One valid document; ``init(unchecked:)`` trusts its caller on that.
    package let bytes: [UInt8]

    /// Takes bytes known to be one valid document, such as our own encoder's output.
    package init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Encodes a tree.
    package init(_ value: JSONValue) { bytes = value.encoded() }

    /// Takes a document from elsewhere; it must parse.
    package init(validating bytes: [UInt8]) throws(JSONError) {
        _ = try JSONValue(parsing: bytes)
        self.bytes = bytes
    }

    /// The document as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension RawJSON: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try JSONValue(from: decoder))
    }

    package func encode(to encoder: any Encoder) throws {
        try JSONValue(parsing: bytes).encode(to: encoder)
    }
}
