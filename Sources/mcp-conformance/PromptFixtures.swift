import JSON
import MCP

/// Prompts the suite lists and gets.
enum PromptFixtures {
    static let catalog = PromptCatalog([
        MCPPrompt(name: "test_simple_prompt", description: "Has no arguments."),
        MCPPrompt(
            name: "test_prompt_with_arguments", description: "Repeats its arguments.",
            arguments: [
                MCPPrompt.Argument("arg1", description: "First", isRequired: true),
                MCPPrompt.Argument("arg2", description: "Second", isRequired: true),
            ]),
        MCPPrompt(
            name: "test_prompt_with_embedded_resource", description: "Holds a resource.",
            arguments: [MCPPrompt.Argument("resourceUri", description: "Its URI", isRequired: true)]),
        MCPPrompt(name: "test_prompt_with_image", description: "Holds an image."),
        MCPPrompt(name: "test_input_required_result_prompt", description: "Asks for context first."),
    ])

    static func run(_ call: PromptCall<ConformanceHost.Caller>) throws(MCPError) -> PromptOutcome {
        func argument(_ name: String) -> String { call.arguments[name] ?? "" }
        func user(_ content: ContentBlock) -> PromptMessage { PromptMessage(.user, content) }
        switch call.name {
        case "test_simple_prompt":
            return .messages([user(.text("This is a simple prompt for testing."))])
        case "test_prompt_with_arguments":
            let text = "Prompt with arguments: arg1='\(argument("arg1"))', arg2='\(argument("arg2"))'"
            return .messages([user(.text(text))])
        case "test_prompt_with_embedded_resource":
            let contents = ResourceContents(
                uri: argument("resourceUri"), mimeType: "text/plain",
                .text("Embedded resource content for testing."))
            return .messages([
                user(.resource(contents)), user(.text("Please process the embedded resource above.")),
            ])
        case "test_prompt_with_image":
            return .messages([
                user(.image(ContentFixtures.image, mimeType: "image/png")),
                user(.text("Please analyze the image above.")),
            ])
        case "test_input_required_result_prompt":
            guard let context = InputFixtures.text(call.context.inputResponses, "user_context", "context")
            else {
                return .inputRequired(
                    InputRequired([
                        "user_context": InputFixtures.form("What context should I use?", "context")
                    ]))
            }
            return .messages([user(.text("Prompt with context: \(context)"))])
        default:
            throw .invalidParams("There is no prompt named '\(call.name)'")
        }
    }
}
