/// Records the members a type asks for.
struct KeyedRecorder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: SchemaRecorder
    private let isVerbatim = WireKey.isVerbatim(Key.self)
    private let isDictionary = WireKey.isDictionaryKey(Key.self)
    var codingPath: [any CodingKey] { recorder.codingPath }

    init(recorder: SchemaRecorder) {
        self.recorder = recorder
        if isDictionary {
            recorder.node.kind = .dictionary(SchemaNode())
        } else {
            recorder.node.becomeObject()
        }
    }

    /// One made-up name, so that a dictionary decodes one value.
    var allKeys: [Key] {
        recorder.context.isEmpty ? [] : [Key(stringValue: "*")].compactMap(\.self)
    }

    private func child(_ key: Key) -> SchemaRecorder {
        if isDictionary, case .dictionary(let value) = recorder.node.kind {
            return SchemaRecorder(
                node: value, path: .member("*", of: recorder.path), context: recorder.context)
        }
        let name = isVerbatim ? key.stringValue : WireKey.name(key.stringValue)
        return SchemaRecorder(
            node: recorder.node.member(name), path: .member(name, of: recorder.path),
            context: recorder.context)
    }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { false }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try child(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try child(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try child(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try child(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try child(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try child(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try child(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try child(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try child(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try child(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try child(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try child(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try child(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try child(key).decode(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key).decode(type) }

    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
        let child = child(key)
        child.node.isNullable = true
        // Descending again into a recursive type would never end; nil will do.
        if recorder.context.isEmpty { return nil }
        return try child.decode(type)
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try optional(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try optional(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try optional(type, key) }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try optional(type, key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        SchemaRecorder(
            node: recorder.node.member("super"), path: .member("super", of: recorder.path),
            context: recorder.context)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { child(key) }
}

/// Records the element type of an array by letting it decode one element.
struct UnkeyedRecorder: UnkeyedDecodingContainer {
    let recorder: SchemaRecorder
    private let element = SchemaNode()
    private(set) var currentIndex = 0
    var codingPath: [any CodingKey] { recorder.codingPath }
    var count: Int? { recorder.context.isEmpty ? 0 : 1 }
    var isAtEnd: Bool { currentIndex >= (count ?? 0) }

    init(recorder: SchemaRecorder) {
        self.recorder = recorder
        recorder.node.kind = .array(element)
    }

    private mutating func next() -> SchemaRecorder {
        currentIndex += 1
        return SchemaRecorder(
            node: element, path: .element(0, of: recorder.path), context: recorder.context)
    }

    mutating func decodeNil() throws -> Bool { false }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { next() }
}
