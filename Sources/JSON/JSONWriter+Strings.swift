extension JSONWriter {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Writes an encoded document as a JSON *string*: the text block of an MCP
    /// result carries its structured content that way. One pass to size it, one
    /// to copy; nothing is decoded.
    package mutating func stringContents(ofEncodedJSON encoded: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        encoded.withUnsafeBufferPointer { appendEscaped($0) }
        bytes.append(UInt8(ascii: "\""))
        valueWasWritten()
    }

    /// The string between quotes.
    mutating func quoted(_ value: String) {
        let done: Void? = value.utf8.withContiguousStorageIfAvailable { quoted($0) }
        if done == nil { Array(value.utf8).withUnsafeBufferPointer { quoted($0) } }
    }

    /// The text between quotes.
    mutating func quoted(_ utf8: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        if Self.needsEscaping(utf8) {
            appendEscaped(utf8)
        } else {
            bytes.append(contentsOf: utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether a string holds anything JSON must escape.
    static func needsEscaping(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { needsEscaping($0) } ?? true
    }

    static func needsEscaping(_ buffer: UnsafeBufferPointer<UInt8>) -> Bool {
        // Without an early exit the compiler vectorizes this.
        var found: UInt8 = 0
        for byte in buffer {
            let hit = byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            found |= hit ? 1 : 0
        }
        return found != 0
    }

    private mutating func appendEscaped(_ buffer: UnsafeBufferPointer<UInt8>) {
        var isComplete = false
        // The branchless loop writes one byte beyond what it keeps.
        let short = [UInt8](unsafeUninitializedCapacity: buffer.count * 2 + 1) { output, count in
            isComplete = Self.copy(buffer, to: output, &count)
        }
        if isComplete {
            bytes.append(contentsOf: short)
            return
        }
        let long = [UInt8](unsafeUninitializedCapacity: buffer.count * 6) { output, count in
            count = Self.copyControls(buffer, to: output)
        }
        bytes.append(contentsOf: long)
    }

    /// Copies text and escapes quotes and backslashes: their positions are
    /// unpredictable, so every byte takes the same path. False when there are
    /// control characters, which it does not escape.
    private static func copy(
        _ buffer: UnsafeBufferPointer<UInt8>, to output: UnsafeMutableBufferPointer<UInt8>, _ end: inout Int
    ) -> Bool {
        var count = 0
        var controls: UInt8 = 0
        for byte in buffer {
            output[count] = UInt8(ascii: "\\")
            let isSpecial: UInt8 =
                (byte == UInt8(ascii: "\"") ? 1 : 0) | (byte == UInt8(ascii: "\\") ? 1 : 0)
            count &+= Int(isSpecial)
            output[count] = byte
            count &+= 1
            controls |= byte < 0x20 ? 1 : 0
        }
        end = count
        return controls == 0
    }

    private static func copyControls(
        _ buffer: UnsafeBufferPointer<UInt8>, to output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var count = 0
        for byte in buffer {
            if byte < 0x20 {
                count = escape(byte, into: output, at: count)
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                output[count] = UInt8(ascii: "\\")
                count += 1
            }
            output[count] = byte
            count += 1
        }
        return count
    }

    private static func escape(
        _ byte: UInt8, into output: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        output[start] = UInt8(ascii: "\\")
        switch byte {
        case 0x08: output[start + 1] = UInt8(ascii: "b")
        case 0x09: output[start + 1] = UInt8(ascii: "t")
        case 0x0A: output[start + 1] = UInt8(ascii: "n")
        case 0x0C: output[start + 1] = UInt8(ascii: "f")
        case 0x0D: output[start + 1] = UInt8(ascii: "r")
        default:
            output[start + 1] = UInt8(ascii: "u")
            output[start + 2] = UInt8(ascii: "0")
            output[start + 3] = UInt8(ascii: "0")
            output[start + 4] = hexDigits[Int(byte >> 4)]
            output[start + 5] = hexDigits[Int(byte & 15)]
            return start + 6
        }
        return start + 2
    }
}
