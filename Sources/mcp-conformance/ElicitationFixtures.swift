import JSON
import MCP

/// Tools that ask the person at a legacy client while they run.
enum ElicitationFixtures {
    static var all: [Fixture] {
        [
            Fixture(
                "test_elicitation", "Asks for a name and an address.", schema: Fixture.strings("message"),
                streaming: .questions
            ) { call in
                let message = call.arguments["message"]?.stringValue ?? "Please answer"
                let answer = try await call.context.ask(.elicit(message: message, schema: user))
                return .text("User response: \(answer.text)")
            },
            Fixture("test_elicitation_sep1034_defaults", "Asks with defaults.", streaming: .questions) {
                call in
                let answer = try await call.context.ask(.elicit(message: "Please review", schema: defaults))
                return .text("Elicitation completed: \(answer.text)")
            },
            Fixture("test_elicitation_sep1330_enums", "Asks for choices.", streaming: .questions) { call in
                let answer = try await call.context.ask(.elicit(message: "Please choose", schema: enums))
                return .text("Elicitation completed: \(answer.text)")
            },
        ]
    }

    private static let user: JSONValue = [
        "type": "object",
        "properties": [
            "username": ["type": "string", "description": "User's response"],
            "email": ["type": "string", "description": "User's email address"],
        ],
        "required": ["username", "email"],
    ]

    private static let defaults: JSONValue = [
        "type": "object",
        "properties": [
            "name": ["type": "string", "default": "John Doe"],
            "age": ["type": "integer", "default": 30],
            "score": ["type": "number", "default": 95.5],
            "status": ["type": "string", "enum": ["active", "inactive", "pending"], "default": "active"],
            "verified": ["type": "boolean", "default": true],
        ],
        "required": [],
    ]

    private static let titled: JSONValue = [
        ["const": "value1", "title": "First Option"], ["const": "value2", "title": "Second Option"],
        ["const": "value3", "title": "Third Option"],
    ]

    private static let enums: JSONValue = [
        "type": "object",
        "properties": [
            "untitledSingle": ["type": "string", "enum": ["option1", "option2", "option3"]],
            "titledSingle": ["type": "string", "oneOf": titled],
            "legacyEnum": [
                "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            ],
            "untitledMulti": [
                "type": "array", "items": ["type": "string", "enum": ["option1", "option2", "option3"]],
            ],
            "titledMulti": ["type": "array", "items": ["anyOf": titled]],
        ],
        "required": [],
    ]
}
