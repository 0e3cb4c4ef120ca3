package import JSON

/// An argument with members of its own, each declared as an ``Input``:
///
/// ```swift
/// struct Slot: InputRecord {
///     @Input("Day, e.g. 2026-11-22.") var date: CalendarDay
///     @Input("Minutes.", .range(15...720)) var duration = 60
/// }
/// ```
package protocol InputRecord: InputValue, Decodable {
    init()
}

extension InputRecord {
    package static var inputSchema: JSONObject {
        let parameters = InputBinder.of(Self.self, Self.init).parameters
        var properties: JSONObject = [:]
        for parameter in parameters { properties[parameter.name] = .object(parameter.memberSchema) }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = parameters.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        schema["additionalProperties"] = false
        return schema
    }

    package init(input: JSONValue) throws(InputProblem) {
        guard case .object(let members) = input else {
            throw InputProblem("must be an object, not \(input.typeName)")
        }
        do {
            let binder = InputBinder.of(Self.self, Self.init)
            let problems = binder.parameters.bareLists(in: members)
            self = try binder.bind(Self.self, to: members, reserved: [], problems)
        } catch {
            guard let failure = error as? Failure, !failure.fields.isEmpty else {
                throw InputProblem("cannot be read")
            }
            throw InputProblem(failure.message, fields: failure.fields)
        }
    }

    /// Records have no defaults.
    package var inputJSON: JSONValue { .null }
}
