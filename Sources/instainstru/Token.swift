import ArgumentParser
import Kernel
import Server
import Storage

/// Service tokens: make, list, revoke.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list and revoke service tokens.",
        discussion: """
            Examples:
              instainstru token create --name claude --owner ada@example.com --scopes mcp:read,mcp:write --expires 90d
              instainstru token list
              instainstru token revoke 01J…
            """, subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; it is shown once, alone on the last line of standard output.")
        @OptionGroup var common: CommonOptions
        @Option(help: "What the token is for.") var name: String
        @Option(help: "E-mail of the person who answers for it.") var owner = "admin@instainstru.com"
        @Option(help: "mcp:read, mcp:write or both, comma-separated.") var scopes = "mcp:read"
        @Option(help: "Lifetime: a number of days (90d) or hours (12h), at most 366 days.") var expires =
            "90d"

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let token = try await Terminal.withPlatform(configuration) { platform in
                let (scopes, lifetime) = try Token.parse(scopes: scopes, lifetime: expires)
                let context = platform.context(Terminal.operatorActor, surface: .cli)
                let (name, owner) = (name, owner)
                return try await platform.database.transaction(context, category: .admin) { tx, _ in
                    try ServiceToken.create(
                        name: name, owner: owner, scopes: scopes, lifetime: lifetime, tx, context
                    ).token
                }
            }
            Terminal.complain("This is the only time the token is shown.")
            print(token)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all tokens, without their secrets.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let (tokens, now) = try await Terminal.withPlatform(configuration) { platform in
                (try await platform.database.read { try ServiceToken.all($0) }, platform.environment.now())
            }
            print(
                ReadableTable.text(
                    columns: ["id", "name", "owner", "scopes", "expires", "state"],
                    rows: tokens.map {
                        [
                            $0.id.description, $0.name, $0.owner,
                            $0.scopes.map(\.rawValue).joined(separator: " "),
                            $0.expiresAt.description, $0.state(at: now),
                        ]
                    }))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a token now.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "The token's id, as token list shows it.") var id: String

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            try await Terminal.withPlatform(configuration) { platform in
                guard let id = ULID(id) else {
                    throw Failure.invalid([.init("id", "must be a ULID, not '\(id)'")])
                }
                let context = platform.context(Terminal.operatorActor, surface: .cli)
                try await platform.database.transaction(context, category: .admin) { tx, _ in
                    try ServiceToken.revoke(id, tx, context)
                }
            }
            print("Revoked; it stops working within a second.")
        }
    }

    /// Both, or all that is wrong with them.
    static func parse(scopes: String, lifetime: String) throws -> ([Kernel.Scope], Duration) {
        var problems: [Failure.Field] = []
        func trying<T>(_ parse: () throws -> T) throws -> T? {
            do { return try parse() } catch let failure as Failure {
                problems += failure.fields
                return nil
            }
        }
        let both = (try trying { try parse(scopes: scopes) }, try trying { try parse(lifetime: lifetime) })
        guard let scopes = both.0, let lifetime = both.1 else { throw Failure.invalid(problems) }
        return (scopes, lifetime)
    }

    static func parse(scopes text: String) throws -> [Kernel.Scope] {
        try text.split(separator: ",").map { word in
            guard let scope = Kernel.Scope(rawValue: word.filter { !$0.isWhitespace }) else {
                let valid = Kernel.Scope.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure.invalid([.init("scopes", "'\(word)' is not one of \(valid)")])
            }
            return scope
        }
    }

    static func parse(lifetime text: String) throws -> Duration {
        guard let unit = text.last, let count = Int(text.dropLast()), count > 0, count <= 10_000,
            let seconds = ["d": 86_400, "h": 3_600][unit]
        else { throw Failure.invalid([.init("expires", "must be like 90d or 12h, not '\(text)'")]) }
        return .seconds(count * seconds)
    }
}
