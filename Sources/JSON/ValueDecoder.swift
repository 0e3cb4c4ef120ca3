/// The decoder of one value of a tree.
struct ValueDecoder: Decoder {
    let value: JSONValue
    let path: DecodingPath
    var codingPath: [any CodingKey] { path.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Decodes any type; our own JSON types are taken as they are.
    static func decode<T: Decodable>(_ type: T.Type, _ value: JSONValue, _ path: DecodingPath) throws -> T {
        if type == String.self, case .string(let text) = value, let text = text as? T { return text }
        if type == JSONValue.self, let tree = value as? T { return tree }
        if type == RawJSON.self, let raw = RawJSON(value) as? T { return raw }
        if type == JSONObject.self {
            guard case .object(let object) = value, let object = object as? T else {
                throw path.mismatch("object", value)
            }
            return object
        }
        return try T(from: ValueDecoder(value: value, path: path))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw path.mismatch("object", value) }
        return KeyedDecodingContainer(
            KeyedValues<Key>(object: object, path: path, isVerbatim: WireKey.isVerbatim(type)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw path.mismatch("array", value) }
        return UnkeyedValues(elements: elements, path: path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    /// A number of exactly this type; a fraction of zero is no fraction.
    func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        switch value {
        case .int(let number):
            if let fitting = T(exactly: number) { return fitting }
        case .double(let number):
            if let fitting = T(exactly: number) { return fitting }
            if number != number.rounded(.towardZero) { throw path.mismatch("integer", value) }
        default:
            throw path.mismatch("integer", value)
        }
        throw JSONError(.mismatch, "the number does not fit \(type)", path: path.text)
    }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let flag) = value else { throw path.mismatch("boolean", value) }
        return flag
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let text) = value else { throw path.mismatch("string", value) }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let number = value.doubleValue else { throw path.mismatch("number", value) }
        return number
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try Self.decode(type, value, path) }
}
