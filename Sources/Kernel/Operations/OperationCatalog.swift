package import JSON

/// One operation as surfaces see it: words and schemas, never the type, so
/// that a surface cannot reach past the ``Runner``.
package struct OperationDescriptor: Sendable {
    package let name: String
    package let title: String
    package let summary: String
    package let feature: String
    package let effect: Effect
    package let scope: Scope
    package let audience: Audience
    package let bucket: RateBucket
    package let creates: Bool
    package let isRecorded: Bool
    package let acceptsForm: Bool
    package let secretInputs: Set<String>
    package let route: Route
    package let cost: Int
    package let action: String
    package let isCommand: Bool
    package let isIdempotent: Bool
    package var parameters: [InputParameter] { inputs.value.parameters }
    package var inputSchema: JSONValue { inputs.value.schema }
    package var outputSchema: JSONValue { output.value }
    // What reflection finds is made when first asked for: for all operations
    // together it would be most of a process's start.
    private let inputs: Lazy<(parameters: [InputParameter], schema: JSONValue)>
    private let output: Lazy<JSONValue>
    let type: any Operation.Type

    /// The tool's name on the MCP surface.
    package var toolName: String { "instainstru_\(name)" }
    /// The route with its prefix, e.g. `/api/v1/auth/me`.
    package var path: String { audience.pathPrefix + route.path }

    init<O: Operation>(_ type: O.Type, feature: String) {
        self.type = type
        self.feature = feature
        (name, title, summary) = (O.name, O.title, O.summary)
        (effect, scope, route, cost) = (O.effect, O.scope, O.route, O.cost)
        (action, isIdempotent) = (O.action, O.isIdempotent)
        (audience, bucket) = (O.audience, O.bucket)
        (creates, acceptsForm, isRecorded) = (O.creates, O.acceptsForm, O.isRecorded)
        secretInputs = O.secretInputs
        isCommand = O.isCommand
        let hasOptions = isCommand && O.audience == .operators
        inputs = Lazy {
            let parameters =
                InputBinder.of(O.self).parameters + (hasOptions ? CallOptions.parameters : [])
            return (parameters, Self.inputSchema(parameters))
        }
        output = Lazy {
            Self.outputSchema(JSONSchema.of(O.Output.self), isCommand: hasOptions)
        }
    }

    private static func inputSchema(_ parameters: [InputParameter]) -> JSONValue {
        var properties: JSONObject = [:]
        for parameter in parameters { properties[parameter.name] = .object(parameter.schema) }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = parameters.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        schema["additionalProperties"] = false
        return .object(schema)
    }

    /// A command's answer may also carry what the runner adds to a preview.
    private static func outputSchema(_ output: JSONValue, isCommand: Bool) -> JSONValue {
        guard isCommand, case .object(var schema) = output,
            case .object(var properties)? = schema["properties"]
        else {
            return output
        }
        properties["effects"] = .object([
            "type": "array", "items": JSONSchema.of(EffectPreview.self),
            "description": "What the call would do; only in a dry run or a preview.",
        ])
        properties["confirmation"] = JSONSchema.of(ConfirmationRequest.self)
        schema["properties"] = .object(properties)
        return .object(schema)
    }
}

/// Schemas of our own types; one that cannot be derived is a programming error
/// and is shown as the empty schema, which the catalog test refuses.
enum JSONSchema {
    static func of<T: Decodable>(_ type: T.Type) -> JSONValue {
        (try? JSONCoding.schema(of: type)) ?? .object([:])
    }
}

/// What a preview asks of its caller.
package struct ConfirmationRequest: Codable, Sendable {
    package var required: Bool
    package var question: String
    package var confirmToken: String
    package var expiresAt: String
    package var howTo: String
}

/// What any command accepts beside its own inputs.
package struct CallOptions: Sendable {
    package var confirmToken: String?
    package var idempotencyKey: String?

    static let parameters = [
        InputParameter(
            name: "confirm_token", summary: "Token from the preview of this same call; makes it happen.",
            isRequired: false,
            schema: optionalText("Token from the preview of this same call; makes it happen.", 200)),
        InputParameter(
            name: "idempotency_key", summary: "Your own key: the same key and arguments act only once.",
            isRequired: false,
            schema: optionalText("Your own key: the same key and arguments act only once.", 200)),
    ]
    static var names: [String] { parameters.map(\.name) }

    private static func optionalText(_ summary: String, _ maximum: Int) -> JSONObject {
        ["type": "string", "minLength": 1, "maxLength": .int(maximum), "description": .string(summary)]
    }

    /// What an operation for people accepts: a key that came beside the arguments.
    init(idempotencyKey: String?) throws {
        guard let idempotencyKey else { return }
        guard (1...200).contains(idempotencyKey.utf8.count) else {
            throw Failure.invalid([.init("Idempotency-Key", "must have 1 to 200 characters")])
        }
        self.idempotencyKey = idempotencyKey
    }

    /// Takes the options out of `arguments` and adds what is wrong with them to `problems`.
    init(takingFrom arguments: inout JSONObject, problems: inout [Failure.Field]) {
        func take(_ name: String) -> String? {
            guard let value = arguments.removeValue(forKey: name), !value.isNull else { return nil }
            guard case .string(let text) = value, (1...200).contains(text.count), !text.utf8.contains(0)
            else {
                problems.append(.init(name, "must be text of 1 to 200 characters"))
                return nil
            }
            return text
        }
        confirmToken = take("confirm_token")
        idempotencyKey = take("idempotency_key")
    }
}

/// Every operation of every feature, in manifest order.
package struct OperationCatalog: Sendable {
    package let all: [OperationDescriptor]
    /// Those for operators: MCP tools and command line verbs.
    package var tools: [OperationDescriptor] { all.filter { $0.audience == .operators } }
    private let byName: [String: OperationDescriptor]

    /// - Precondition: names are unique; ``Feature/check(_:)`` reports it before.
    package init(_ features: [Feature]) {
        all = features.flatMap { feature in
            feature.operations.map { type in Self.describe(type, feature.name) }
        }
        byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(name: String) -> OperationDescriptor? { byName[name] }

    private static func describe(_ type: any Operation.Type, _ feature: String) -> OperationDescriptor {
        func open<O: Operation>(_ type: O.Type) -> OperationDescriptor {
            OperationDescriptor(type, feature: feature)
        }
        return open(type)
    }
}
