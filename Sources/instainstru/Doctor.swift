import ArgumentParser
import Kernel
import Server

/// Finds wrong wiring before production does.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration, the database, the keys and the wiring.",
        discussion: """
            Examples:
              instainstru doctor
              instainstru doctor jobs
            Exit code 1 when something is wrong.
            """)

    enum Topic: String, CaseIterable, ExpressibleByArgument { case jobs }

    @Argument(help: "Look at this only: jobs (handlers, queues, schedule, what waits).") var topic: Topic?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
        if topic == nil {
            for (name, value) in configuration.redacted { print("\(name)=\(value)") }
        }
        let findings = try await Terminal.withPlatform(configuration) { [topic] platform in
            topic == .jobs ? try await Examination.jobs(platform) : try await Examination.run(platform)
        }
        for finding in findings { print("\(finding.state.rawValue)  \(finding.name): \(finding.detail)") }
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode.failure }
    }
}

/// Writes the generated references.
struct Docs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the generated reference pages and openapi.json.",
        discussion: "Example:\n  instainstru docs --out Docs")

    @Option(help: "The folder to write to.") var out = "Docs"

    func run() throws {
        for page in try GeneratedDocs.pages() {
            try page.write(to: out)
            print("\(out)/\(page.name)")
        }
    }
}
