import ArgumentParser
import Kernel
import Server

/// People's accounts, from the machine itself: how the first administrator comes to be.
struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make people's accounts.",
        discussion: """
            Examples:
              instainstru user create --email ada@example.com --role admin
              echo 'Correct-horse-7' | instainstru user create --email bo@example.com --role admin --password-stdin
            """, subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Make an account; without --password-stdin its password is printed once, alone on the last line."
        )
        @OptionGroup var common: CommonOptions
        @Option(help: "E-mail address, with which the person signs in.") var email: String
        @Option(help: "First name.") var firstName = "Admin"
        @Option(help: "Last name.") var lastName = "User"
        @Option(help: "admin, instructor or student; may be given more than once.") var role: [String] = [
            "admin"
        ]
        @Option(help: "ZIP code, five digits.") var zipCode = "10001"
        @Flag(help: "Read the password from standard input.") var passwordStdin = false

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let given = passwordStdin ? readLine(strippingNewline: true) ?? "" : nil
            let account = NewPerson(
                email: email, firstName: firstName, lastName: lastName, roles: role, zipCode: zipCode,
                password: given ?? NewPerson.randomPassword())
            let id = try await Terminal.withPlatform(configuration) { platform in
                try await account.create(platform, platform.context(Terminal.operatorActor, surface: .cli))
            }
            Terminal.complain("Account \(id) for \(email).")
            if given == nil {
                Terminal.complain("This is the only time the password is shown.")
                print(account.password)
            }
        }
    }
}
