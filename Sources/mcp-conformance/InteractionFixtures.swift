import JSON
import MCP

/// Tools that talk to the client while they run.
enum InteractionFixtures {
    private static let pause = Duration.milliseconds(50)

    static func all(_ broadcaster: Broadcaster) -> [Fixture] {
        [
            Fixture("test_tool_with_logging", "Logs three times.", streaming: .always) { call in
                for message in [
                    "Tool execution started", "Tool processing data", "Tool execution completed",
                ] {
                    call.context.logger.log(.info, .string(message))
                    try await Task.sleep(for: pause)
                }
                return .text("Logged.")
            },
            Fixture("test_logging_tool", "Logs once, if the client wants it.", streaming: .always) { call in
                call.context.logger.log(.info, "A log message")
                return .text("Done.")
            },
            Fixture("test_tool_with_progress", "Reports progress.", streaming: .progress) { call in
                for step in [0.0, 50, 100] {
                    call.context.progress.report(
                        step, of: 100, message: "Completed step \(Int(step)) of 100")
                    try await Task.sleep(for: pause)
                }
                return .text("Progress reported.")
            },
            Fixture("test_streaming_elicitation", "Streams and asks nothing.", streaming: .always) { call in
                call.context.progress.report(1, of: 1)
                return .text("Nothing was asked on the stream.")
            },
            Fixture("test_missing_capability", "Needs a model.", requires: ["sampling": [:]]) { _ in
                .text("The client can sample.")
            },
            Fixture("test_trigger_tool_change", "Says that the tools changed.") { _ in
                broadcaster.send(.tools)
                return .text("Sent.")
            },
            Fixture("test_trigger_prompt_change", "Says that the prompts changed.") { _ in
                broadcaster.send(.prompts)
                return .text("Sent.")
            },
            Fixture(
                "test_sampling", "Asks the client's model.", schema: Fixture.strings("prompt"),
                streaming: .sampling, sample),
        ]
    }

    private static let sample: Fixture.Run = { call in
        let prompt = call.arguments["prompt"]?.stringValue ?? ""
        let answer = try await call.context.ask(.sample(question(prompt)))
        return .text("LLM response: \(answer["content"]?["text"]?.stringValue ?? "")")
    }

    /// A request for one short completion.
    static func question(_ text: String) -> JSONObject {
        [
            "messages": [["role": "user", "content": ["type": "text", "text": .string(text)]]],
            "maxTokens": 100,
        ]
    }
}
