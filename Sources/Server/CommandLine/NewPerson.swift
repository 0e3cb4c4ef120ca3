import Features
import JSON
package import Kernel
import Storage

/// An account that is made from the command line, past the public registration.
package struct NewPerson: Sendable {
    package var email: String
    package var firstName: String
    package var lastName: String
    package var roles: [String]
    package var zipCode: String
    package var password: String

    package init(
        email: String, firstName: String, lastName: String, roles: [String], zipCode: String, password: String
    ) {
        self.email = email
        self.firstName = firstName
        self.lastName = lastName
        self.roles = roles
        self.zipCode = zipCode
        self.password = password
    }

    /// 144 random bits, and what the rules want.
    package static func randomPassword() -> String { Secrets.random(bytes: 18) + "A7" }

    /// Adds the person with what a registration adds for each of the roles, but for invites.
    ///
    /// - Throws: ``Kernel/Failure/Code/conflict`` when the address has an account.
    package func create(_ platform: Platform, _ context: Context) async throws -> ULID {
        var problems: [Failure.Field] = []
        let roles = Set(roles.compactMap(UserRole.init(rawValue:))).sorted { $0.rawValue < $1.rawValue }
        if roles.count != Set(self.roles).count || roles.isEmpty {
            problems.append(.init("role", "must be admin, instructor or student"))
        }
        let address = User.normalized(email: email)
        if !Recipient.isAddress(address) { problems.append(.init("email", "is not an e-mail address")) }
        if let problem = PasswordRules.problem(password, email: address) {
            problems.append(.init("password", problem))
        }
        if zipCode.utf8.count != 5 || !zipCode.allSatisfy(\.isNumber) {
            problems.append(.init("zip_code", "must be 5 digits"))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        let hash = try await PasswordHash.make(password)
        let draft = User.Draft(
            email: address, hashedPassword: hash.text, firstName: firstName, lastName: lastName,
            zipCode: zipCode)
        return try await platform.database.transaction(context, category: .admin) { tx, _ in
            guard let user = try User.create(draft, roles: roles, tx, context) else {
                throw Failure(.conflict, "\(address) has an account already.", reason: "email_taken")
            }
            try tx.audit(
                "user.create", user.subject, description: "Account made at the command line",
                metadata: ["roles": .array(roles.map { .string($0.rawValue) })])
            for role in roles where role != .admin {
                let account = NewAccount(user: user, email: address, role: role, isMadeByOperator: true)
                for step in Feature.registrationSteps { try step(account, tx, context) }
            }
            return user.id
        }
    }
}
