import MCP

/// The work that people start from a menu.
enum MCPPrompts {
    static let triage = MCPPrompt(
        name: "webhook_triage", title: "Triage failed webhooks",
        description: "Find failed webhooks, explain each failure, and propose replays to be confirmed.",
        arguments: [
            .init("source", title: "Source", description: "Only this source: stripe or checkr."),
            .init("hours", title: "Hours", description: "How many hours back, 1 to 168; 24 when left out."),
        ])
    static let all = [triage]

    static func messages(_ call: PromptCall<MCPCaller>) throws -> PromptOutcome {
        let hours = call.arguments["hours"].map { Int($0) ?? 0 } ?? 24
        guard (1...168).contains(hours) else {
            throw MCPError.invalidParams("hours must be a whole number from 1 to 168")
        }
        let source = call.arguments["source"] ?? ""
        guard source.isEmpty || source.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }),
            source.count <= 50
        else {
            throw MCPError.invalidParams("source must be the name of a webhook source, such as stripe")
        }
        let only = source.isEmpty ? "" : " with source=\(source)"
        return .messages([
            PromptMessage(
                .user,
                .text(
                    """
                    Triage the failed webhooks of the last \(hours) hours.
                    1. Call instainstru_webhooks_failed\(only) with since_hours=\(hours). If there are none, \
                    say so and stop.
                    2. Group them by processing_error. For one event of each group call instainstru_webhook_detail.
                    3. For each group explain in one sentence what went wrong and whether a replay can succeed now.
                    4. For what can be replayed, call instainstru_webhook_replay with dry_run=true and show the effects.
                    5. Ask me before you replay anything for real; then use dry_run=false with a reason.
                    6. Finish with instainstru_audit_resource_history of what was replayed.
                    """))
        ])
    }
}
