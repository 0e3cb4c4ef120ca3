package import JSON
package import Storage

/// Why an argument could not be read; completes the sentence "<name> …".
package struct InputProblem: Error, Sendable {
    package var text: String
    /// The members that are wrong, for a value that has any; their names are paths such as `0.date`.
    package var fields: [Failure.Field] = []
    package init(_ text: String) { self.text = text }
    package init(_ text: String, fields: [Failure.Field]) { (self.text, self.fields) = (text, fields) }

    /// The same, within something: `name` comes before the paths.
    func within(_ name: String) -> [Failure.Field] {
        fields.isEmpty
            ? [.init(name, text)] : fields.map { .init("\(name).\($0.name)", $0.problem) }
    }
}

/// A value that can be read from a tool argument, a query string or a command line.
///
/// Reading forgives what language models get wrong ("42" for 42, one value
/// for a list of one) and is strict about everything else.
package protocol InputValue: Sendable {
    /// JSON Schema of the value, without description and default.
    static var inputSchema: JSONObject { get }
    init(input: JSONValue) throws(InputProblem)
    /// The value as it appears as a default in a schema.
    var inputJSON: JSONValue { get }
    /// What an argument without a default is when it is left out; nil means
    /// that it is required.
    static var whenAbsent: Self? { get }
}

extension InputValue {
    package static var whenAbsent: Self? { nil }
}

extension String: InputValue {
    package static var inputSchema: JSONObject { ["type": "string"] }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input else {
            throw InputProblem("must be text, not \(input.typeName)")
        }
        if text.utf8.contains(0) { throw InputProblem("must not contain the character U+0000") }
        self = text
    }
    package var inputJSON: JSONValue { .string(self) }
}

extension Int: InputValue {
    package static var inputSchema: JSONObject { ["type": "integer"] }
    package init(input: JSONValue) throws(InputProblem) {
        switch input {
        case .int(let number): self = number
        case .double(let number):
            guard let whole = Int(exactly: number) else {
                throw InputProblem("must be a whole number, not \(number)")
            }
            self = whole
        case .string(let text):
            guard let number = Int(text) else {
                throw InputProblem("must be a whole number, not \(quoted(text))")
            }
            self = number
        default: throw InputProblem("must be a whole number, not \(input.typeName)")
        }
    }
    package var inputJSON: JSONValue { .int(self) }
}

extension Double: InputValue {
    package static var inputSchema: JSONObject { ["type": "number"] }
    package init(input: JSONValue) throws(InputProblem) {
        switch input {
        case .int(let number): self = Double(number)
        case .double(let number): self = number
        case .string(let text):
            guard let number = Double(text), number.isFinite else {
                throw InputProblem("must be a number, not \(quoted(text))")
            }
            self = number
        default: throw InputProblem("must be a number, not \(input.typeName)")
        }
    }
    package var inputJSON: JSONValue { .double(self) }
}

extension Bool: InputValue {
    package static var inputSchema: JSONObject { ["type": "boolean"] }
    package init(input: JSONValue) throws(InputProblem) {
        switch input {
        case .bool(let flag): self = flag
        case .string("true"): self = true
        case .string("false"): self = false
        case .string(let text): throw InputProblem("must be true or false, not \(quoted(text))")
        default: throw InputProblem("must be true or false, not \(input.typeName)")
        }
    }
    package var inputJSON: JSONValue { .bool(self) }
}

extension ULID: InputValue {
    package static var inputSchema: JSONObject {
        ["type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$", "minLength": 26, "maxLength": 26]
    }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input else {
            throw InputProblem("must be a ULID, not \(input.typeName)")
        }
        guard let id = ULID(text) else {
            throw InputProblem(
                "must be a ULID (26 characters of 0-9 and A-Z without I, L, O, U), not \(quoted(text))")
        }
        self = id
    }
    package var inputJSON: JSONValue { .string(description) }
}

extension Instant: InputValue {
    package static var inputSchema: JSONObject { ["type": "string", "format": "date-time"] }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input, let instant = Instant(parsing: text) else {
            throw InputProblem(
                "must be an RFC 3339 time with an offset, such as 2026-11-22T10:00:00Z, not \(quoted(input))")
        }
        self = instant
    }
    package var inputJSON: JSONValue { .string(description) }
}

/// A closed set of words. Conform a `String` enum to make it an argument.
package protocol InputEnum: InputValue, SchemaDescribing, RawRepresentable, CaseIterable
where RawValue == String {}

extension InputEnum {
    package static var inputSchema: JSONObject {
        ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })]
    }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input, let value = Self(rawValue: text) else {
            let valid = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputProblem("must be one of \(valid), not \(quoted(input))")
        }
        self = value
    }
    package var inputJSON: JSONValue { .string(rawValue) }
}

extension Array: InputValue where Element: InputValue {
    package static var inputSchema: JSONObject {
        ["type": "array", "items": .object(Element.inputSchema)]
    }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .array(let items) = input else {
            self = [try Element(input: input)]
            return
        }
        self = []
        reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            do { append(try Element(input: item)) } catch {
                let fields = error.fields.isEmpty ? [] : error.within("\(index)")
                throw InputProblem("[\(index)] \(error.text)", fields: fields)
            }
        }
    }
    package var inputJSON: JSONValue { .array(map(\.inputJSON)) }
}

extension Optional: InputValue where Wrapped: InputValue {
    package static var inputSchema: JSONObject { Wrapped.inputSchema }
    package init(input: JSONValue) throws(InputProblem) {
        self = input.isNull ? nil : try Wrapped(input: input)
    }
    package var inputJSON: JSONValue { self?.inputJSON ?? .null }
    package static var whenAbsent: Wrapped?? { .some(nil) }
}

/// A value as an error shows it: short, quoted, without control characters.
func quoted(_ text: String) -> String { "'\(UntrustedText.cleaned(text, maximumCharacters: 60))'" }

func quoted(_ value: JSONValue) -> String {
    if case .string(let text) = value { quoted(text) } else { value.typeName }
}
