import ArgumentParser
import Kernel
import Server

/// Messages that were kept here because no provider is configured.
struct Mailbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the e-mail and SMS that were kept instead of sent.",
        discussion: """
            Without RESEND_API_KEY e-mail comes here, without TWILIO_ACCOUNT_SID SMS do.

            Examples:
              instainstru mailbox
              instainstru mailbox --to ada@example.com --limit 5 --json
              instainstru mailbox show 01J…
            """, subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List messages, the newest first.")
        @OptionGroup var common: CommonOptions
        @Option(help: "How many at most, 1 to 1000.") var limit = 25
        @Option(help: "Only those to this address or number.") var to: String?
        @Flag(help: "Print them as JSON, each in full.") var json = false

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let text = try await Terminal.withPlatform(configuration) { platform in
                try await MailboxText.list(platform, limit: limit, to: to, json: json)
            }
            print(text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one message in full.")
        @OptionGroup var common: CommonOptions
        @Flag(help: "Print it as JSON.") var json = false
        @Argument(help: "The message's id, as mailbox lists it.") var id: String

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let text = try await Terminal.withPlatform(configuration) { platform in
                try await MailboxText.show(platform, id: id, json: json)
            }
            print(text)
        }
    }
}
