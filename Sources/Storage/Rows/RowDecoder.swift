/// Feeds a row to a synthesized `init(from:)`, one column for each property.
struct RowDecoder: Decoder {
    let row: Row
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container<Key>(row: row))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw Self.refusal("a row is not a list")
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw Self.refusal("a row is not a single value; name its column")
    }

    static func refusal(_ message: String) -> StorageError { .decode(message) }

    struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let row: Row
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { row.columns.names.compactMap(Key.init(stringValue:)) }

        func contains(_ key: Key) -> Bool { row.columns.index(matching: key.stringValue) != nil }

        func decodeNil(forKey key: Key) throws -> Bool { try row.cell(index(key)) == .null }

        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try row.get(at: index(key)) }
        func decode(_ type: String.Type, forKey key: Key) throws -> String { try row.get(at: index(key)) }
        func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try row.get(at: index(key)) }
        func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try row.get(at: index(key)) }
        func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try row.get(at: index(key)) }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            let index = try index(key)
            return try CellDecoder(value: row.cell(index), column: row.columns.names[index]).decode(type)
        }

        private func index(_ key: Key) throws -> Int {
            guard let index = row.columns.index(matching: key.stringValue) else {
                throw refusal("no column for \(key.stringValue)")
            }
            return index
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            throw refusal("\(key.stringValue): a cell has no fields")
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw refusal("\(key.stringValue): a cell is not a list")
        }
        func superDecoder() throws -> any Decoder { throw refusal("a row has no superclass") }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw refusal("a row has no superclass") }
    }
}

/// Decodes one cell: a type that reads cells does so itself, any other (an enum
/// with raw values, an identifier) is given its single value.
private struct CellDecoder: Decoder, SingleValueDecodingContainer {
    let value: SQLValue
    let column: String
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw RowDecoder.refusal("column \(column): a cell has no fields")
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw RowDecoder.refusal("column \(column): a cell is not a list")
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { value == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let readable = type as? any SQLDecodable.Type else { return try Value(from: self) }
        do {
            guard let result = try readable.init(sql: value) as? Value else {
                throw StorageError.decode("not a \(type)")
            }
            return result
        } catch StorageError.decode(let problem) {
            throw StorageError.decode("column \(column): \(problem)")
        }
    }
}
