import ArgumentParser
import Kernel
import Server

/// Everything on made-up data.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a believable month of made-up history, with live webhooks arriving.",
        discussion: "Example:\n  instainstru demo --port 8000")

    @OptionGroup var listen: ListenOptions

    func run() async throws {
        let configuration = try await Terminal.reporting { try await listen.load() }
        try await Terminal.reporting {
            try await DemoRun.run(configuration, logger: try Terminal.logger(configuration)) {
                Terminal.say($0)
            }
        }
    }
}
