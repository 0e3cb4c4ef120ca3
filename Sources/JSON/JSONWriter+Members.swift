/// Members whose parts are at hand as bytes, for documents that are written by
/// the hundred thousand: each is appended at once.
extension JSONWriter {
    /// A string from its UTF-8, which is not checked.
    ///
    /// - Parameter name: as it is written, with its quotes and colon: `"id":`.
    package mutating func member(_ name: StaticString, string utf8: UnsafeBufferPointer<UInt8>) {
        if Self.needsEscaping(utf8) {
            append(name, utf8, count: 0, isQuoted: false)
            quoted(utf8)
        } else {
            append(name, utf8, count: utf8.count, isQuoted: true)
        }
    }

    /// A value that is already encoded, byte for byte. It must be one valid document.
    package mutating func member(_ name: StaticString, raw encoded: UnsafeBufferPointer<UInt8>) {
        append(name, encoded, count: encoded.count, isQuoted: false)
    }

    /// A member that is `null`.
    package mutating func nullMember(_ name: StaticString) {
        append(name, Self.nullText, count: Self.nullText.count, isQuoted: false)
    }

    private static var nullText: UnsafeBufferPointer<UInt8> {
        let text: StaticString = "null"
        return UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    private mutating func append(
        _ name: StaticString, _ value: UnsafeBufferPointer<UInt8>, count: Int, isQuoted: Bool
    ) {
        let nameCount = name.utf8CodeUnitCount
        let hasComma = commaIsDue
        bytes.append(addingCapacity: nameCount + count + 3) { output in
            if hasComma { output.append(UInt8(ascii: ",")) }
            output.append(name.utf8Start, nameCount)
            if isQuoted { output.append(UInt8(ascii: "\"")) }
            if let start = value.baseAddress { output.append(start, count) }
            if isQuoted { output.append(UInt8(ascii: "\"")) }
        }
        valueWasWritten()
    }
}

extension OutputSpan<UInt8> {
    /// Copies bytes for which there must be room.
    fileprivate mutating func append(_ start: UnsafePointer<UInt8>, _ count: Int) {
        withUnsafeMutableBufferPointer { buffer, initialized in
            guard let base = buffer.baseAddress, count <= buffer.count - initialized else { return }
            (base + initialized).update(from: start, count: count)
            initialized += count
        }
    }
}
