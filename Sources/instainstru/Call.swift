import ArgumentParser
import JSON
import Kernel
import Server

/// Runs any operation by its name.
struct Call: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run an operation on the local database, or on a server.",
        discussion: """
            Arguments are the operation's own, as --name value. Without an operation it lists them all.

            Examples:
              instainstru call
              instainstru call webhooks_failed --since-hours 48
              instainstru call webhook_detail --event-id 01J… --json
              instainstru call webhook_replay --event-id 01J… --dry-run false
              instainstru call audit_search --url http://127.0.0.1:8000 --token itk_…
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "A server to call instead of the local database.") var url: String?
    @Option(help: "Token for --url; else INSTAINSTRU_TOKEN.") var token: String?
    @Flag(help: "Print the answer as JSON.") var json = false
    @Argument(help: "The operation, e.g. webhooks_list.") var operation: String?
    @Argument(parsing: .allUnrecognized, help: "Its arguments, as --name value.") var arguments: [String] = []

    func run() async throws {
        guard let operation else { return print(OperationList.text()) }
        let answer = try await Terminal.reporting { () throws -> [UInt8] in
            let arguments = try Self.parse(arguments)
            if let url { return try await RemoteCall.run(operation, arguments, url: url, token: token) }
            return try await local(operation, arguments)
        }
        if json {
            Terminal.write(try JSONValue(parsing: answer).encoded(pretty: true) + [0x0A])
        } else {
            print(ReadableTable.text(try JSONValue(parsing: answer)))
        }
    }

    private func local(_ operation: String, _ arguments: JSONObject) async throws -> [UInt8] {
        let configuration = try await common.load(["RATE_LIMIT_PER_MINUTE": "0"], quiet: true)
        return try await Terminal.withPlatform(configuration) { platform in
            let context = platform.context(Terminal.operatorActor, surface: .cli)
            return try await platform.runner.call(operation, arguments, context).bytes
        }
    }

    /// `--event-id X --dry-run` → `{"event_id": "X", "dry_run": "true"}`.
    static func parse(_ words: [String]) throws -> JSONObject {
        var result: JSONObject = [:]
        var index = 0
        while index < words.count {
            let word = words[index]
            guard word.hasPrefix("--"), word.count > 2 else {
                throw Failure(.invalidInput, "'\(word)' is not an argument.", hint: "Write --name value.")
            }
            var name = String(word.dropFirst(2))
            var value = "true"
            if let equals = name.firstIndex(of: "=") {
                value = String(name[name.index(after: equals)...])
                name = String(name[..<equals])
            } else if index + 1 < words.count, !words[index + 1].hasPrefix("--") {
                index += 1
                value = words[index]
            }
            result[name.replacing("-", with: "_")] = .string(value)
            index += 1
        }
        return result
    }
}
