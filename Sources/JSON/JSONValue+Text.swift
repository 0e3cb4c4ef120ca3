extension JSONValue {
    /// Nesting that ``init(parsing:maximumDepth:maximumBytes:)`` accepts unless told otherwise.
    package static let defaultMaximumDepth = 64

    /// Parses one strict RFC 8259 document.
    ///
    /// Refused: anything after the document, trailing commas, comments, NaN,
    /// lone surrogates, invalid UTF-8, a byte order mark, a member name that
    /// appears twice, nesting beyond `maximumDepth` and numbers beyond a
    /// double. Integers beyond 64 bits become doubles.
    package init(
        parsing bytes: some Sequence<UInt8>, maximumDepth: Int = defaultMaximumDepth,
        maximumBytes: Int = .max
    ) throws(JSONError) {
        let fast = bytes.withContiguousStorageIfAvailable { buffer in
            Self.parse(buffer, maximumDepth, maximumBytes)
        }
        if let fast {
            self = try fast.get()
        } else {
            self = try Array(bytes).withUnsafeBufferPointer { buffer in
                Self.parse(buffer, maximumDepth, maximumBytes)
            }.get()
        }
    }

    /// Parses a document held in a string; see ``init(parsing:maximumDepth:maximumBytes:)``.
    package init(
        parsing text: String, maximumDepth: Int = defaultMaximumDepth, maximumBytes: Int = .max
    ) throws(JSONError) {
        try self.init(parsing: text.utf8, maximumDepth: maximumDepth, maximumBytes: maximumBytes)
    }

    private static func parse(
        _ buffer: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int, _ maximumBytes: Int
    ) -> Result<JSONValue, JSONError> {
        guard buffer.count <= maximumBytes else {
            return .failure(
                JSONError(
                    .tooLarge, "The document is larger than \(maximumBytes) bytes", offset: maximumBytes))
        }
        return Result { () throws(JSONError) in
            var parser = JSONParser(buffer, maximumDepth: maximumDepth)
            return try parser.document()
        }
    }

    /// The document as UTF-8.
    ///
    /// Members keep their order unless `sortedKeys` asks for the order of their
    /// UTF-8 bytes, which makes the output canonical. `pretty` indents by two spaces.
    package func encoded(pretty: Bool = false, sortedKeys: Bool = false) -> [UInt8] {
        var writer = JSONWriter()
        if pretty || sortedKeys {
            var layout = JSONLayout(writer: writer, pretty: pretty, sortedKeys: sortedKeys)
            layout.write(self, indent: 0)
            return layout.writer.bytes
        }
        writer.value(self)
        return writer.bytes
    }

    /// The compact document as a string.
    package var text: String { String(decoding: encoded(), as: UTF8.self) }
}

extension JSONValue: CustomStringConvertible {
    package var description: String { text }
}

/// Writes a tree with indentation or in canonical member order.
private struct JSONLayout {
    var writer: JSONWriter
    let pretty: Bool
    let sortedKeys: Bool

    mutating func write(_ value: JSONValue, indent: Int) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            writer.beginArray()
            for element in elements {
                writer.separate()
                newline(indent + 1)
                write(element, indent: indent + 1)
            }
            newline(indent)
            writer.endArray()
        case .object(let object) where !object.isEmpty:
            writer.beginObject()
            for (key, member) in ordered(object) {
                writer.separate()
                newline(indent + 1)
                writer.key(key)
                if pretty { writer.bytes.append(UInt8(ascii: " ")) }
                write(member, indent: indent + 1)
            }
            newline(indent)
            writer.endObject()
        default:
            writer.value(value)
        }
    }

    private func ordered(_ object: JSONObject) -> [JSONObject.Element] {
        guard sortedKeys else { return Array(object) }
        return object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private mutating func newline(_ indent: Int) {
        guard pretty else { return }
        writer.bytes.append(UInt8(ascii: "\n"))
        writer.bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * 2))
    }
}
