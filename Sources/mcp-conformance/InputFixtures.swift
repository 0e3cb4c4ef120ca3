import JSON
import MCP

/// Tools that end with `input_required` until they know enough.
enum InputFixtures {
    static var all: [Fixture] {
        [
            Fixture("test_input_required_result_elicitation", "Asks for a name.", elicitation),
            Fixture("test_input_required_result_sampling", "Asks the client's model.") { call in
                guard let answer = call.context.inputResponses["capital_question"] else {
                    let question = InteractionFixtures.question("What is the capital of France?")
                    return .inputRequired(InputRequired(["capital_question": .sample(question)]))
                }
                return .text(answer["content"]?["text"]?.stringValue ?? "no text")
            },
            Fixture("test_input_required_result_list_roots", "Asks for the client's roots.") { call in
                guard let answer = call.context.inputResponses["client_roots"] else {
                    return .inputRequired(InputRequired(["client_roots": .roots]))
                }
                return .text("Roots: \(answer["roots"]?.text ?? "none")")
            },
            Fixture("test_input_required_result_request_state", "Asks with a state.") {
                confirm($0, "state-ok")
            },
            Fixture("test_input_required_result_tampered_state", "Refuses a changed state.") {
                confirm($0, "integrity-ok")
            },
            Fixture("test_input_required_result_multiple_inputs", "Asks three things at once.", multiple),
            Fixture("test_input_required_result_multi_round", "Asks twice.", rounds),
            Fixture(
                "test_input_required_result_capabilities", "Asks what the client can answer.", declared),
        ]
    }

    /// A form with one required text field.
    static func form(_ message: String, _ field: String, _ type: JSONValue = "string") -> InputRequest {
        .elicit(
            message: message,
            schema: [
                "type": "object",
                "properties": .object(JSONObject([(field, JSONValue.object(["type": type]))])),
                "required": [.string(field)],
            ])
    }

    /// The text that was entered, if the form was filled in.
    static func text(_ responses: JSONObject, _ key: String, _ field: String) -> String? {
        guard let response = responses[key], case .accept(let content) = ElicitationAnswer(response) else {
            return nil
        }
        return content[field]?.stringValue
    }

    private static let elicitation: Fixture.Run = { call in
        guard let name = text(call.context.inputResponses, "user_name", "name") else {
            return .inputRequired(InputRequired(["user_name": form("What is your name?", "name")]))
        }
        return .text("Hello, \(name)!")
    }

    private static func confirm(_ call: ToolCall<ConformanceHost.Caller>, _ done: String) -> ToolOutcome {
        guard call.context.state == [1], call.context.inputResponses.contains("confirm") else {
            return .inputRequired(
                InputRequired(["confirm": form("Please confirm", "ok", "boolean")], state: [1]))
        }
        return .text("\(done): the state came back unchanged")
    }

    private static let multiple: Fixture.Run = { call in
        let responses = call.context.inputResponses
        let keys = ["user_name", "greeting", "client_roots"]
        guard call.context.state != nil, keys.allSatisfy(responses.contains) else {
            return .inputRequired(
                InputRequired(
                    [
                        "user_name": form("What is your name?", "name"),
                        "greeting": .sample(InteractionFixtures.question("Generate a greeting")),
                        "client_roots": .roots,
                    ], state: [1]))
        }
        return .text("All \(keys.count) answers arrived.")
    }

    private static let rounds: Fixture.Run = { call in
        let responses = call.context.inputResponses
        switch call.context.state {
        case [2] where responses.contains("step2"):
            return .text("Both rounds are done.")
        case [1] where responses.contains("step1"), [2]:
            return .inputRequired(
                InputRequired(["step2": form("Step 2: What is your favorite color?", "color")], state: [2]))
        default:
            return .inputRequired(
                InputRequired(["step1": form("Step 1: What is your name?", "name")], state: [1]))
        }
    }

    private static let declared: Fixture.Run = { call in
        let capabilities = call.context.capabilities
        if !call.context.inputResponses.isEmpty { return .text("Answers arrived.") }
        if capabilities.samples {
            return .inputRequired(
                InputRequired(["sample": .sample(InteractionFixtures.question("Say hello"))]))
        }
        if capabilities.fillsForms {
            return .inputRequired(InputRequired(["form": form("Say hello", "hello")]))
        }
        return .text("The client can answer nothing.")
    }
}
