extension JSONParser {
    /// The string whose opening quote is at `position`.
    mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        try skipPlainBytes()
        if bytes[position] == UInt8(ascii: "\"") {
            let text = try text(start, position)
            position += 1
            return text
        }
        return try escapedString(from: start)
    }

    /// Stops at a quote or a backslash; anything else that may not stand there is an error.
    private mutating func skipPlainBytes() throws(JSONError) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else {
                throw JSONError(.controlCharacter, "A control character must be escaped", offset: position)
            }
            position += 1
        }
        throw ended()
    }

    /// The string from `start`, of which everything before the first escape has been read.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var content = Array(bytes[start..<position])
        while bytes[position] != UInt8(ascii: "\"") {
            content.append(contentsOf: UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
            let run = position
            try skipPlainBytes()
            content.append(contentsOf: bytes[run..<position])
        }
        // Escapes are ASCII, so the source is valid exactly when the content is,
        // and only the source has the offset.
        try checkUTF8(start, position)
        position += 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        guard position + 1 < bytes.count else { throw ended() }
        let letter = bytes[position + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(start)
        default:
            throw JSONError(.invalidEscape, "Unknown escape in a string", offset: start)
        }
    }

    private mutating func unicodeEscape(_ start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try fourHexDigits(start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        let lone = JSONError(.loneSurrogate, "A surrogate escape has no partner", offset: start)
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw lone }
        position += 2
        let second = try fourHexDigits(start)
        guard (0xDC00...0xDFFF).contains(second) else { throw lone }
        let combined = 0x10000 + ((UInt32(first) - 0xD800) << 10) + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(combined) else { throw lone }
        return scalar
    }

    private mutating func fourHexDigits(_ start: Int) throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw ended() }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw JSONError(.invalidEscape, "\\u needs four hexadecimal digits", offset: start)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private func text(_ start: Int, _ end: Int) throws(JSONError) -> String {
        try checkUTF8(start, end)
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }

    /// Needed because the decoding initializer repairs silently.
    private func checkUTF8(_ start: Int, _ end: Int) throws(JSONError) {
        let range = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if Self.isASCII(range) { return }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: range.span)
        } catch {
            let offset = start + error.byteOffsets.lowerBound
            throw JSONError(.invalidUTF8, "A string is not valid UTF-8", offset: offset)
        }
    }

    private static func isASCII(_ range: UnsafeBufferPointer<UInt8>) -> Bool {
        // Without an early exit the compiler vectorizes this.
        var seen: UInt8 = 0
        for byte in range { seen |= byte }
        return seen < 0x80
    }
}
