package import JSON

/// Checks a value against the JSON Schema (2020-12) keywords that our schemas
/// use. A keyword it does not know is a problem, so that none goes unchecked.
package enum SchemaValidator {
    private static let annotations: Set<String> = [
        "description", "title", "default", "format", "$schema", "examples",
    ]

    /// What is wrong, each with its place; empty when the value is valid.
    package static func problems(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        if case .bool(let allowed) = schema { return allowed ? [] : ["\(path) is not allowed"] }
        guard case .object(let keywords) = schema else { return ["\(path): the schema is no object"] }
        return keywords.flatMap { keyword, rule in
            check(keyword, rule, keywords, value).map { $0.hasPrefix("$") ? $0 : "\(path): \($0)" }
                + nested(keyword, rule, keywords, value, path)
        }
    }

    private static func check(
        _ keyword: String, _ rule: JSONValue, _ schema: JSONObject, _ value: JSONValue
    ) -> [String] {
        let isGood: Bool
        switch keyword {
        case "type":
            let types = rule.arrayValue?.compactMap(\.stringValue) ?? [rule.stringValue ?? ""]
            isGood = types.contains(value.typeName) || types.contains("number") && value.typeName == "integer"
        case "enum": isGood = rule.arrayValue?.contains(value) == true
        case "const": isGood = rule == value
        case "minimum": isGood = value.doubleValue.map { $0 >= rule.doubleValue ?? .infinity } ?? true
        case "maximum": isGood = value.doubleValue.map { $0 <= rule.doubleValue ?? -.infinity } ?? true
        case "minLength":
            isGood = value.stringValue.map { $0.unicodeScalars.count >= rule.intValue ?? .max } ?? true
        case "maxLength":
            isGood = value.stringValue.map { $0.unicodeScalars.count <= rule.intValue ?? -1 } ?? true
        case "minItems": isGood = value.arrayValue.map { $0.count >= rule.intValue ?? .max } ?? true
        case "maxItems": isGood = value.arrayValue.map { $0.count <= rule.intValue ?? -1 } ?? true
        case "pattern":
            guard let text = value.stringValue, let regex = try? Regex(rule.stringValue ?? "(") else {
                return []
            }
            isGood = text.contains(regex)
        case "required":
            guard let members = value.objectValue else { return [] }
            let missing = rule.arrayValue?.compactMap(\.stringValue).filter { !members.contains($0) } ?? []
            return missing.map { "'\($0)' is missing" }
        case "anyOf": isGood = rule.arrayValue?.contains { problems(value, $0).isEmpty } == true
        case "properties", "additionalProperties", "items": return []
        default: return annotations.contains(keyword) ? [] : ["the keyword '\(keyword)' is not known here"]
        }
        return isGood ? [] : ["\(value.text.prefix(80)) breaks \(keyword) \(rule.text.prefix(200))"]
    }

    private static func nested(
        _ keyword: String, _ rule: JSONValue, _ schema: JSONObject, _ value: JSONValue, _ path: String
    ) -> [String] {
        switch (keyword, value) {
        case ("properties", .object(let members)):
            return members.flatMap { name, member in
                rule[name].map { problems(member, $0, at: "\(path).\(name)") } ?? []
            }
        case ("additionalProperties", .object(let members)):
            let declared = schema["properties"]?.objectValue ?? [:]
            return members.filter { !declared.contains($0.key) }
                .flatMap { problems($0.value, rule, at: "\(path).\($0.key)") }
        case ("items", .array(let elements)):
            return elements.enumerated().flatMap { problems($1, rule, at: "\(path)[\($0)]") }
        default: return []
        }
    }
}
