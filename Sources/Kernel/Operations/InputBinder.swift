import JSON
import Synchronization

/// Reads an operation's inputs from arguments, all problems at once.
///
/// The declarations are found by reflection once per type and kept; binding a
/// call feeds them through the operation's synthesized `Decodable`.
struct InputBinder: Sendable {
    struct Declaration: Sendable {
        var name: String
        var property: String
        var input: any AnyInput
    }

    let declarations: [Declaration]
    let parameters: [InputParameter]
    private let names: Set<String>

    private static let cache = Mutex<[ObjectIdentifier: InputBinder]>([:])

    static func of<O: Operation>(_ type: O.Type) -> InputBinder { of(type, O.init) }

    /// The binder of any type whose stored properties are inputs.
    static func of<T>(_ type: T.Type, _ make: () -> T) -> InputBinder {
        if let known = cache.withLock({ $0[ObjectIdentifier(type)] }) { return known }
        let made = InputBinder(reflecting: make())
        cache.withLock { $0[ObjectIdentifier(type)] = made }
        return made
    }

    private init(reflecting operation: Any) {
        declarations = Mirror(reflecting: operation).children.compactMap { child in
            guard let label = child.label, label.hasPrefix("_"), let input = child.value as? any AnyInput
            else {
                return nil
            }
            let property = String(label.dropFirst())
            return Declaration(name: JSONCoding.memberName(property), property: property, input: input)
        }
        names = Set(declarations.map(\.name))
        parameters = declarations.map {
            InputParameter(
                name: $0.name, summary: $0.input.summary, isRequired: $0.input.isRequired,
                schema: $0.input.schema)
        }
    }

    /// How many arguments that do not exist are named in one answer.
    private static let maximumUnknown = 10

    /// The bound operation or record; throws ``Failure/invalid(_:hint:)`` with every
    /// problem, those found before and unknown arguments included. `reserved`
    /// names belong to the runner.
    func bind<T: Decodable>(
        _ type: T.Type, to arguments: JSONObject, reserved: [String], _ found: [Failure.Field] = []
    ) throws -> T {
        var problems = found
        var bound: [String: any AnyInput] = [:]
        bound.reserveCapacity(declarations.count)
        for declaration in declarations {
            bound[declaration.property] = declaration.input.binding(
                arguments[declaration.name], name: declaration.name, problems: &problems)
        }
        for key in arguments.keys.lazy.filter({ !names.contains($0) }).prefix(Self.maximumUnknown) {
            let valid = (declarations.map(\.name) + reserved).joined(separator: ", ")
            let list = valid.isEmpty ? "there are none" : "the arguments are \(valid)"
            problems.append(
                .init(UntrustedText.cleaned(key, maximumCharacters: 80), "is not an argument; \(list)"))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        return try T(from: Root(bound: bound))
    }
}

// The three decoders below hand bound inputs to a synthesized `init(from:)`;
// any other use is a programming error and throws.
extension InputBinder {
    private struct Root: Decoder {
        let bound: [String: any AnyInput]
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            KeyedDecodingContainer(Keyed(bound: bound))
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unsupported }
        func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unsupported }
    }

    struct Leaf: Decoder {
        let input: any AnyInput
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            throw unsupported
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unsupported }
        func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unsupported }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let bound: [String: any AnyInput]
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { bound.keys.compactMap { Key(stringValue: $0) } }
        func contains(_ key: Key) -> Bool { bound[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { false }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            if let type = T.self as? any UnpreparedValue.Type, let value = type.init() as? T { return value }
            guard let input = bound[key.stringValue] else {
                throw Failure(
                    .internal, "The stored property '\(key.stringValue)' is neither an @Input nor @Prepared.")
            }
            return try T(from: Leaf(input: input))
        }
        func nestedContainer<N: CodingKey>(keyedBy: N.Type, forKey: Key) throws -> KeyedDecodingContainer<N> {
            throw unsupported
        }
        func nestedUnkeyedContainer(forKey: Key) throws -> any UnkeyedDecodingContainer { throw unsupported }
        func superDecoder() throws -> any Decoder { throw unsupported }
        func superDecoder(forKey: Key) throws -> any Decoder { throw unsupported }
    }
}

private var unsupported: Failure {
    Failure(.internal, "Only @Input and @Prepared properties may be stored in an operation.")
}
