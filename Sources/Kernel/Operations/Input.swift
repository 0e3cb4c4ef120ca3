import JSON

/// One documented argument of an ``Operation``.
///
/// The declaration is the documentation, the JSON schema, the parser and the
/// validator:
///
/// ```swift
/// @Input("Ledger id, as returned by webhooks_list.") var eventID: ULID
/// @Input("Rows to return.", .range(1...200)) var limit = 50
/// @Input("Only this source.") var source: String?
/// ```
///
/// An argument without a default is required, unless it is optional. The
/// argument's name is the property's in snake case.
@propertyWrapper
package struct Input<Value: InputValue>: Sendable {
    private enum State: Sendable { case declared(default: Value?), bound(Value) }

    private var state: State
    let summary: String
    private let rules: [InputRule<Value>]

    package init(wrappedValue: Value, _ summary: String, _ rules: InputRule<Value>...) {
        self.init(state: .declared(default: wrappedValue), summary: summary, rules: rules)
    }

    package init(_ summary: String, _ rules: InputRule<Value>...) {
        self.init(state: .declared(default: Value.whenAbsent), summary: summary, rules: rules)
    }

    package init<Wrapped: InputValue>(
        wrappedValue: Wrapped? = nil, _ summary: String, _ rules: InputRule<Wrapped>...
    ) where Value == Wrapped? {
        self.init(
            state: .declared(default: .some(wrappedValue)), summary: summary, rules: rules.map { $0.lifted() }
        )
    }

    private init(state: State, summary: String, rules: [InputRule<Value>]) {
        self.state = state
        self.summary = summary
        self.rules = rules
    }

    package var wrappedValue: Value {
        get {
            switch state {
            case .bound(let value), .declared(default: let value?): value
            case .declared(default: nil): preconditionFailure("'\(summary)' was read before it was bound")
            }
        }
        set { state = .bound(newValue) }
    }
}

/// An input value that may be left out.
private protocol AbsentInput { static var absent: Self { get } }
extension Optional: AbsentInput { static var absent: Wrapped? { nil } }

/// What ``InputBinder`` needs of any ``Input``, whatever its value.
protocol AnyInput: Sendable {
    var summary: String { get }
    var isRequired: Bool { get }
    var schema: JSONObject { get }
    /// A copy that holds the argument, or nil with what is wrong appended to `problems`.
    func binding(_ json: JSONValue?, name: String, problems: inout [Failure.Field]) -> Self?
}

extension Input: AnyInput {
    var isRequired: Bool { if case .declared(default: nil) = state { true } else { false } }

    var schema: JSONObject {
        var schema = Value.inputSchema
        for rule in rules { for (key, value) in rule.keywords { schema[key] = value } }
        schema["description"] = .string(summary)
        if case .declared(default: let value?) = state, value.inputJSON != .null {
            schema["default"] = value.inputJSON
        }
        return schema
    }

    func binding(_ json: JSONValue?, name: String, problems: inout [Failure.Field]) -> Input? {
        guard let json, isRequired || !json.isNull else {
            if isRequired { problems.append(.init(name, "is required")) }
            return isRequired ? nil : self
        }
        do {
            let value = try Value(input: json)
            let broken = rules.compactMap { $0.check(value) }
            problems += broken.map { .init(name, $0) }
            var copy = self
            copy.state = .bound(value)
            return broken.isEmpty ? copy : nil
        } catch {
            problems += error.within(name)
            return nil
        }
    }
}

extension Input: Decodable {
    /// The operation's synthesized `init(from:)` asks for each input by its
    /// property name and is given the bound copy; nothing else can decode one.
    package init(from decoder: any Decoder) throws {
        guard let bound = (decoder as? InputBinder.Leaf)?.input as? Input<Value> else {
            throw Failure(.internal, "An input is bound by its operation, not decoded on its own.")
        }
        self = bound
    }
}
