/// What the demo prints once it serves.
enum DemoWelcome {
    static func text(url: String, token: String, data: String) -> String {
        let header = #"{"Authorization": "Bearer \#(token)"}"#
        let cursor = #"{"mcpServers": {"instainstru": {"url": "\#(url)/mcp", "headers": \#(header)}}}"#
        let server = #"{"type": "http", "url": "\#(url)/mcp", "headers": \#(header)}"#
        let code = #"{"servers": {"instainstru": \#(server)}}"#
        let claude =
            "claude mcp add --transport http instainstru \(url)/mcp --header \"Authorization: Bearer \(token)\""
        return """

            listening on \(url)

            MCP     \(url)/mcp
            token   \(token)
            data    \(data)

            Connect a client
              Claude Code       \(claude)
              Cursor, Claude    \(cursor)
              VS Code           \(code)
              stdio             .build/debug/instainstru mcp --stdio --data \(data)

            Try, in another terminal
              .build/debug/instainstru call webhooks_failed --since-hours 48 --data \(data)
              .build/debug/instainstru call audit_recent_admin_actions --data \(data)
              .build/debug/instainstru audit verify --data \(data)

            Then ask your client: "Which webhooks failed? What would replaying one do? Replay it. Who did what?"
            Ctrl-C stops the server when its work is done.
            """
    }
}
