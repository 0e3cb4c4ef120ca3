import ArgumentParser
import Server

/// The one binary; every role and tool is a verb.
@main
struct Instainstru: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instainstru",
        abstract: "Admin operations of the InstaInstru marketplace: MCP server, webhook ledger, audit log.",
        discussion: """
            Examples:
              instainstru demo                          try everything on made-up data
              instainstru serve --data /var/lib/instainstru
              instainstru token create --name claude --owner ada@example.com --scopes mcp:read,mcp:write
              instainstru user create --email ada@example.com --role admin
              instainstru call webhooks_failed --since-hours 48
              instainstru audit verify
              instainstru mailbox                       what would have been sent by e-mail and SMS
            """,
        version: Build.version,
        subcommands: [
            Serve.self, Demo.self, Work.self, Stdio.self, Migrate.self, Call.self, Token.self, User.self,
            Audit.self,
            Mailbox.self, Doctor.self, Docs.self,
        ])
}
