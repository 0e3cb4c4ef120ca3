/// Writes the elements of one array.
struct UnkeyedStream: UnkeyedEncodingContainer {
    let encoder: StreamEncoder
    let place: StreamEncoder.Place
    var codingPath: [any CodingKey] { [] }
    var count: Int { encoder.core.count(place.depth) }

    private func begin() throws {
        try encoder.core.begin(place.serial, depth: place.depth, key: nil, isVerbatim: true)
    }

    private func scalar(_ write: (inout JSONWriter) -> Void) throws {
        try begin()
        encoder.core.scalar(write)
    }

    func encodeNil() throws { try scalar { $0.null() } }
    func encode(_ value: Bool) throws { try scalar { $0.bool(value) } }
    func encode(_ value: String) throws { try scalar { $0.string(value) } }
    func encode(_ value: Double) throws { try scalar { $0.double(value) } }
    func encode(_ value: Float) throws { try scalar { $0.float(value) } }
    func encode(_ value: Int) throws { try scalar { $0.int(value) } }
    func encode(_ value: Int8) throws { try scalar { $0.integer(value) } }
    func encode(_ value: Int16) throws { try scalar { $0.integer(value) } }
    func encode(_ value: Int32) throws { try scalar { $0.integer(value) } }
    func encode(_ value: Int64) throws { try scalar { $0.integer(value) } }
    func encode(_ value: UInt) throws { try scalar { $0.integer(value) } }
    func encode(_ value: UInt8) throws { try scalar { $0.integer(value) } }
    func encode(_ value: UInt16) throws { try scalar { $0.integer(value) } }
    func encode(_ value: UInt32) throws { try scalar { $0.integer(value) } }
    func encode(_ value: UInt64) throws { try scalar { $0.integer(value) } }

    func encode<T: Encodable>(_ value: T) throws {
        try begin()
        try encoder.core.writeValue(value, encoder)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(
            KeyedStream<NestedKey>(
                encoder: encoder, place: open(isObject: true), isVerbatim: encoder.core.isVerbatim(type)))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedStream(encoder: encoder, place: open(isObject: false))
    }

    func superEncoder() -> any Encoder {
        // A stale container keeps its error for the next call that can throw.
        try? begin()
        return StreamEncoder(encoder.core)
    }

    private func open(isObject: Bool) -> StreamEncoder.Place {
        do {
            try begin()
            return encoder.nested(isObject: isObject)
        } catch {
            return StreamEncoder.Place(depth: place.depth, serial: -1, isObject: isObject)
        }
    }
}

/// Writes the members of one object.
struct KeyedStream<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: StreamEncoder
    let place: StreamEncoder.Place
    let isVerbatim: Bool
    var codingPath: [any CodingKey] { [] }

    private func begin(_ key: String) throws {
        try encoder.core.begin(place.serial, depth: place.depth, key: key, isVerbatim: isVerbatim)
    }

    private func scalar(_ key: Key, _ write: (inout JSONWriter) -> Void) throws {
        try begin(key.stringValue)
        encoder.core.scalar(write)
    }

    func encodeNil(forKey key: Key) throws { try scalar(key) { $0.null() } }
    func encode(_ value: Bool, forKey key: Key) throws { try scalar(key) { $0.bool(value) } }
    func encode(_ value: String, forKey key: Key) throws { try scalar(key) { $0.string(value) } }
    func encode(_ value: Double, forKey key: Key) throws { try scalar(key) { $0.double(value) } }
    func encode(_ value: Float, forKey key: Key) throws { try scalar(key) { $0.float(value) } }
    func encode(_ value: Int, forKey key: Key) throws { try scalar(key) { $0.int(value) } }
    func encode(_ value: Int8, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: Int16, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: Int32, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: Int64, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: UInt, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: UInt8, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: UInt16, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: UInt32, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }
    func encode(_ value: UInt64, forKey key: Key) throws { try scalar(key) { $0.integer(value) } }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try begin(key.stringValue)
        try encoder.core.writeValue(value, encoder)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(
            KeyedStream<NestedKey>(
                encoder: encoder, place: open(key, isObject: true),
                isVerbatim: encoder.core.isVerbatim(type)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        UnkeyedStream(encoder: encoder, place: open(key, isObject: false))
    }

    func superEncoder() -> any Encoder {
        try? begin("super")
        return StreamEncoder(encoder.core)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        try? begin(key.stringValue)
        return StreamEncoder(encoder.core)
    }

    private func open(_ key: Key, isObject: Bool) -> StreamEncoder.Place {
        do {
            try begin(key.stringValue)
            return encoder.nested(isObject: isObject)
        } catch {
            return StreamEncoder.Place(depth: place.depth, serial: -1, isObject: isObject)
        }
    }
}
