package import JSON

/// One argument as documentation and surfaces see it.
package struct InputParameter: Sendable {
    package var name: String
    package var summary: String
    package var isRequired: Bool
    package var schema: JSONObject

    /// The schema of a member of an object. One that may be left out may also be null,
    /// which many clients send for what they have nothing to say about.
    package var memberSchema: JSONObject {
        guard !isRequired else { return schema }
        var schema = schema
        var result: JSONObject = ["anyOf": []]
        for key in ["description", "default"] { result[key] = schema.removeValue(forKey: key) }
        result["anyOf"] = [.object(schema), ["type": "null"]]
        return result
    }

    /// Whether it takes a list.
    var isList: Bool { schema["type"] == "array" }
}

extension [InputParameter] {
    /// Problems of the lists that are given as one value for a list of one, which is
    /// forgiven where a person or a language model types, but not in a program's JSON.
    package func bareLists(in members: JSONObject) -> [Failure.Field] {
        filter(\.isList).compactMap { parameter in
            guard let value = members[parameter.name], value.arrayValue == nil, !value.isNull else {
                return nil
            }
            return Failure.Field(parameter.name, "must be a list, not \(value.typeName)")
        }
    }
}
