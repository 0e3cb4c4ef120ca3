import ArgumentParser
import Kernel
import Server

/// Finds wrong wiring before production does.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration, the database, the keys and the wiring.",
        discussion: "Example:\n  instainstru doctor\nExit code 1 when something is wrong.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
        for (name, value) in configuration.redacted { print("\(name)=\(value)") }
        let findings = try await Terminal.withPlatform(configuration) { try await Examination.run($0) }
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
