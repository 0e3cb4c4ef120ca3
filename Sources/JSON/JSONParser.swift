/// A strict parser of RFC 8259 into a ``JSONValue`` tree.
///
/// One pass, by recursive descent; the depth limit bounds the stack. The
/// buffer must outlive the parser.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// The whole buffer as one document.
    mutating func document() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let value = try value(depth: 0)
        skipWhitespace()
        guard position == bytes.count else {
            throw JSONError(.trailingBytes, "There is more after the end of the document", offset: position)
        }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard position < bytes.count else { throw ended() }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw unexpected("a value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var object = JSONObject()
        if take(UInt8(ascii: "}")) { return .object(object) }
        while true {
            let keyStart = position
            guard position < bytes.count else { throw ended() }
            guard bytes[position] == UInt8(ascii: "\"") else { throw unexpected("a member name") }
            let key = try string()
            skipWhitespace()
            try expect(UInt8(ascii: ":"), "':'")
            skipWhitespace()
            let member = try value(depth: depth)
            guard object.insertNew(key, member) else {
                throw JSONError(.duplicateKey, "The member '\(key)' appears twice", offset: keyStart)
            }
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "}"), "',' or '}'")
            return .object(object)
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth))
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "]"), "',' or ']'")
            return .array(elements)
        }
    }

    /// Steps over the opening bracket and the space behind it.
    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= maximumDepth else {
            throw JSONError(.tooDeep, "Nesting is deeper than \(maximumDepth) levels", offset: position)
        }
        position += 1
        skipWhitespace()
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position + offset < bytes.count else { throw ended() }
            guard bytes[position + offset] == text.utf8Start[offset] else { throw unexpected("a value") }
        }
        position += text.utf8CodeUnitCount
        return value
    }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// Steps over `byte`, and the space behind a comma or opening bracket.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        if byte == UInt8(ascii: ",") { skipWhitespace() }
        return true
    }

    private mutating func expect(_ byte: UInt8, _ name: StaticString) throws(JSONError) {
        guard position < bytes.count else { throw ended() }
        guard bytes[position] == byte else { throw unexpected(name) }
        position += 1
    }

    func ended() -> JSONError {
        JSONError(.unexpectedEnd, "The document ends too early", offset: bytes.count)
    }

    func unexpected(_ wanted: StaticString) -> JSONError {
        JSONError(.unexpectedByte, "Expected \(wanted)", offset: position)
    }
}
