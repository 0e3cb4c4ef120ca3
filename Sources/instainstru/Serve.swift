import ArgumentParser
import Kernel
import Server
import ServiceLifecycle
import Storage

/// Serves everything from one process.
struct Serve: AsyncParsableCommand {
    enum Role: String, CaseIterable, ExpressibleByArgument { case api, worker }

    static let configuration = CommandConfiguration(
        abstract: "Serve MCP, REST and webhooks, and run jobs.",
        discussion: """
            Examples:
              instainstru serve
              DATABASE_URL=postgres://app@db/instainstru instainstru serve --roles api --host 0.0.0.0 --port 8000
            """)

    @OptionGroup var listen: ListenOptions
    @Option(
        parsing: .upToNextOption, help: "What this process does: api (MCP, REST, webhooks), worker (jobs).")
    var roles: [Role] = Role.allCases

    func run() async throws {
        let configuration = try await Terminal.reporting { try await listen.load() }
        try await Terminal.withPlatform(configuration) { platform in
            try await platform.serve(api: roles.contains(.api), worker: roles.contains(.worker)) { url in
                Terminal.say("listening on \(url)")
            }
        }
    }
}

/// Runs jobs and nothing else.
struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Run jobs only.",
        discussion: "Example:\n  DATABASE_URL=postgres://app@db/instainstru instainstru worker")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try await Terminal.reporting { try await common.load() }
        try await Terminal.withPlatform(configuration) { platform in
            try await platform.serve(api: false, worker: true) { _ in }
        }
    }
}

/// Applies migrations and says what was done.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply the database migrations.",
        discussion: "Example:\n  instainstru migrate --data /var/lib/instainstru")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
        try await Terminal.reporting {
            let database = try await openDatabase(configuration, logger: try Terminal.logger(configuration))
            do {
                let applied = try await Platform.migrate(database)
                print(
                    applied.isEmpty
                        ? "Nothing to do." : applied.map { "applied \($0)" }.joined(separator: "\n"))
                await database.close()
            } catch {
                await database.close()
                throw error
            }
        }
    }
}
