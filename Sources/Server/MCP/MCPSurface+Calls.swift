import JSON
import Kernel
package import MCP

// Calling tools, and asking the person when a command needs a yes.
extension MCPSurface {
    private static let question = "confirm"

    package func call(_ call: ToolCall<MCPCaller>) async throws -> ToolOutcome {
        guard let operation = operations[call.name] else {
            throw MCPError.invalidParams("There is no tool named '\(call.name)'")
        }
        let context = context(call.context.caller, call.context)
        var arguments = call.arguments
        do {
            if let state = call.context.state, let response = call.context.inputResponses[Self.question] {
                guard case .accept(let content) = ElicitationAnswer(response),
                    content["confirm"]?.boolValue == true
                else { return try await declined(operation, arguments, context) }
                // The preview's token was sealed into the state when the person was asked.
                arguments["confirm_token"] = .string(String(decoding: state, as: UTF8.self))
            }
            let answer = try await platform.runner.call(operation.name, arguments, context)
            if let confirmation = answer.confirmation, call.context.capabilities.fillsForms {
                return .inputRequired(ask(confirmation))
            }
            return .structured(answer.bytes)
        } catch let failure as Failure {
            return Self.failed(failure, context)
        }
    }

    private func ask(_ confirmation: Confirmation) -> InputRequired {
        let effects = confirmation.effects.prefix(10).map { effect in
            let target = [effect.resourceType, effect.resourceID].compactMap { $0 }.joined(separator: " ")
            return "- \(effect.action) \(target) \(effect.changes?.text.prefix(200) ?? "")"
        }
        let more = confirmation.effects.count > 10 ? "\n… and \(confirmation.effects.count - 10) more" : ""
        let message = "\(confirmation.question)\n\(effects.joined(separator: "\n"))\(more)"
        let schema: JSONValue = [
            "type": "object",
            "properties": ["confirm": ["type": "boolean", "title": "Go ahead", "default": false]],
            "required": ["confirm"],
        ]
        return InputRequired(
            [Self.question: .elicit(message: message, schema: schema)], state: Array(confirmation.token.utf8))
    }

    private func declined(_ operation: OperationDescriptor, _ arguments: JSONObject, _ context: Context)
        async throws
        -> ToolOutcome
    {
        let failure = Failure(
            .forbidden, "The person who was asked did not agree. Nothing was changed.",
            hint: "Do not try again unless they ask for it.", reason: "declined")
        try await platform.runner.recordDenied(failure, operation: operation.name, arguments, context)
        return Self.failed(failure, context)
    }

    /// A failure as a model can act on it: what is wrong, what to do, where to ask.
    static func failed(_ failure: Failure, _ context: Context) -> ToolOutcome {
        var object: JSONObject = [
            "error": .string(failure.reason ?? failure.code.rawValue), "message": .string(failure.message),
        ]
        if let hint = failure.hint { object["hint"] = .string(hint) }
        if !failure.fields.isEmpty {
            object["fields"] = .object(JSONObject(failure.fields.map { ($0.name, .string($0.problem)) }))
        }
        if let wait = failure.retryAfter { object["retry_after_seconds"] = .int(Problem.seconds(wait)) }
        object["request_id"] = .string(context.requestID)
        return .failure(JSONValue.object(object).text)
    }
}
