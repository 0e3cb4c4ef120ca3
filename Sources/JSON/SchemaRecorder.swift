/// What a description has to remember while it descends: the types it is inside.
struct SchemaContext {
    var inside: [ObjectIdentifier] = []
    /// Containers pretend to be empty: how a value of a recursive type is made.
    var isEmpty = false
}

/// A decoder that records what a type asks for and answers with sample values.
struct SchemaRecorder: Decoder {
    let node: SchemaNode
    let path: DecodingPath
    let context: SchemaContext
    var codingPath: [any CodingKey] { path.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// A type's schema and a value of it.
    static func describe<T: Decodable>(
        _ type: T.Type, path: DecodingPath, context: SchemaContext
    ) throws -> (schema: JSONValue, sample: T) {
        let node = SchemaNode()
        let sample = try record(type, into: node, path: path, context: context)
        return (node.schema, sample)
    }

    /// Records a type into a node and returns a value of it.
    static func record<T: Decodable>(
        _ type: T.Type, into node: SchemaNode, path: DecodingPath, context: SchemaContext
    ) throws -> T {
        if let known: T = try knownType(type, into: node, path: path, context: context) { return known }
        var inner = context
        if context.inside.contains(ObjectIdentifier(type)) {
            // The second level of a recursive type is described as anything.
            inner.isEmpty = true
            let sample = try sample(
                type, SchemaRecorder(node: SchemaNode(), path: path, context: inner), path)
            node.kind = .unknown
            return sample
        }
        inner.inside.append(ObjectIdentifier(type))
        return try sample(type, SchemaRecorder(node: node, path: path, context: inner), path)
    }

    private static func sample<T: Decodable>(
        _ type: T.Type, _ recorder: SchemaRecorder, _ path: DecodingPath
    ) throws -> T {
        do {
            return try T(from: recorder)
        } catch let error as JSONError where error.kind == .undescribable {
            throw error
        } catch {
            throw JSONError(
                .undescribable, "\(type) refuses sample values; conform it to SchemaDescribing",
                path: path.text)
        }
    }

    /// Types whose schema is not found by running them.
    private static func knownType<T: Decodable>(
        _ type: T.Type, into node: SchemaNode, path: DecodingPath, context: SchemaContext
    ) throws -> T? {
        if let describing = type as? any SchemaDescribing.Type {
            node.kind = .fixed(describing.jsonSchema)
            return describing.schemaExample as? T
        }
        if type == JSONValue.self {
            node.kind = .fixed([:])
            return JSONValue.null as? T
        }
        if type == RawJSON.self {
            node.kind = .fixed([:])
            return RawJSON(.null) as? T
        }
        if type == JSONObject.self {
            node.kind = .fixed(["type": "object"])
            return JSONObject() as? T
        }
        if let optional = type as? any OptionalDescribing.Type {
            return try optional.recordWrapped(into: node, path: path, context: context) as? T
        }
        if let cases = type as? any (CaseIterable & RawRepresentable).Type {
            return enumeration(cases, node) as? T
        }
        return nil
    }

    private static func enumeration<E: CaseIterable & RawRepresentable>(_ type: E.Type, _ node: SchemaNode)
        -> E?
    {
        let raw = type.allCases.map(\.rawValue)
        if let strings = raw as? [String] {
            node.kind = .fixed(["type": "string", "enum": .array(strings.map { .string($0) })])
        } else if let numbers = raw as? [Int] {
            node.kind = .fixed(["type": "integer", "enum": .array(numbers.map { .int($0) })])
        } else {
            return nil
        }
        return type.allCases.first
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedRecorder<Key>(recorder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { UnkeyedRecorder(recorder: self) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

/// Lets a description look through an optional of unknown type.
protocol OptionalDescribing {
    static func recordWrapped(into node: SchemaNode, path: DecodingPath, context: SchemaContext) throws
        -> Any
}

extension Optional: OptionalDescribing {
    static func recordWrapped(
        into node: SchemaNode, path: DecodingPath, context: SchemaContext
    ) throws -> Any {
        node.isNullable = true
        if !context.isEmpty, let type = Wrapped.self as? any Decodable.Type {
            _ = try SchemaRecorder.record(type, into: node, path: path, context: context)
        }
        return Self.none as Any
    }
}

extension SchemaRecorder: SingleValueDecodingContainer {
    private func scalar<T>(_ type: String, _ sample: T) -> T {
        node.kind = .fixed(["type": .string(type)])
        return sample
    }

    private func unsigned<T: UnsignedInteger>(_ type: T.Type) -> T {
        node.kind = .fixed(["type": "integer", "minimum": 0])
        return 0
    }

    func decodeNil() -> Bool { false }
    func decode(_ type: Bool.Type) throws -> Bool { scalar("boolean", false) }
    func decode(_ type: String.Type) throws -> String { scalar("string", "") }
    func decode(_ type: Double.Type) throws -> Double { scalar("number", 0) }
    func decode(_ type: Float.Type) throws -> Float { scalar("number", 0) }
    func decode(_ type: Int.Type) throws -> Int { scalar("integer", 0) }
    func decode(_ type: Int8.Type) throws -> Int8 { scalar("integer", 0) }
    func decode(_ type: Int16.Type) throws -> Int16 { scalar("integer", 0) }
    func decode(_ type: Int32.Type) throws -> Int32 { scalar("integer", 0) }
    func decode(_ type: Int64.Type) throws -> Int64 { scalar("integer", 0) }
    func decode(_ type: UInt.Type) throws -> UInt { unsigned(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { unsigned(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { unsigned(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { unsigned(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { unsigned(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try Self.record(type, into: node, path: path, context: context)
    }
}
