/// The header fields of a request, as far as the protocol looks at them.
package struct HTTPHeaders: Sendable {
    private let fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    /// The first field of this name, whatever its case, without space around it.
    package subscript(_ name: String) -> String? {
        fields.first { Self.isSame($0.name, name) }.map { Self.trimmed($0.value) }
    }

    /// All fields of this name in order.
    package func values(_ name: String) -> [String] {
        fields.filter { Self.isSame($0.name, name) }.map { Self.trimmed($0.value) }
    }

    func count(_ name: String) -> Int { fields.count { Self.isSame($0.name, name) } }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (left.utf8, right.utf8)
        guard left.count == right.count else { return false }
        return left.elementsEqual(right) { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// Without optional white space (RFC 9110 §5.6.3).
    private static func trimmed(_ value: String) -> String {
        func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
        guard isSpace(value.utf8.first) || isSpace(value.utf8.last) else { return value }
        var kept = value.utf8[...]
        while isSpace(kept.first) { kept.removeFirst() }
        while isSpace(kept.last) { kept.removeLast() }
        return String(Substring(kept))
    }
}

/// The protocol's encoding of text that a header cannot carry (2026-07-28).
enum HeaderValue {
    private static let prefix = "=?base64?"
    private static let suffix = "?="

    /// The text meant, or nil when the field is absent or not decodable.
    static func decode(_ field: String?) -> String? {
        guard let field else { return nil }
        guard field.hasPrefix(prefix), field.hasSuffix(suffix), field.count >= prefix.count + suffix.count
        else {
            return field
        }
        guard let bytes = Base64.decode(field.dropFirst(prefix.count).dropLast(suffix.count)) else {
            return nil
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
