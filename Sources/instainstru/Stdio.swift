import ArgumentParser
import Foundation
import Kernel
import Server

/// Speaks MCP on standard input and output.
struct Stdio: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp", abstract: "Speak MCP on standard input and output.",
        discussion: """
            The caller is the token in INSTAINSTRU_TOKEN, or without one the person at this machine,
            who can open the data folder anyway; --scopes narrows what they may do.

            Examples:
              instainstru mcp --stdio
              instainstru mcp --stdio --scopes mcp:read
            """)

    @OptionGroup var common: CommonOptions
    @Flag(help: "Required: says that messages go over standard input and output.") var stdio = false
    @Option(help: "Scopes of the local caller, comma-separated.") var scopes = "mcp:read,mcp:write"

    func validate() throws {
        guard stdio else {
            throw ValidationError("Say --stdio; over HTTP, /mcp is part of instainstru serve.")
        }
    }

    func run() async throws {
        let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
        try await Terminal.withPlatform(configuration) { platform in
            var actor = Terminal.operatorActor
            actor.scopes = Set(try Token.parse(scopes: scopes))
            if let token = ProcessInfo.processInfo.environment["INSTAINSTRU_TOKEN"], !token.isEmpty {
                actor = try await platform.authenticator.actor(token: token, at: platform.environment.now())
            }
            try await platform.speakStdio(as: MCPCaller(actor: actor))
        }
    }
}
