import JSON
import Kernel
import Storage

/// What else may be said with a registration.
struct RegistrationMetadata: InputRecord {
    @Input("The code of an invitation.", .length(1...32)) var inviteCode: String?
}

/// Roles that people may take themselves.
enum RegistrationRole: String, Codable, InputEnum {
    case student, instructor

    var userRole: UserRole {
        switch self {
        case .student: .student
        case .instructor: .instructor
        }
    }
}

/// Makes an account.
///
/// The answer, and the work behind it, are the same for an address that has an account
/// already: then the same rows are written under another address and undone, and the
/// owner of the address gets a mail.
///
/// An account may be signed in to before its address is verified, as the contract has it:
/// there is no route that would verify one. So whoever registers an address and then
/// signs in finds out whether it was free, ten times an hour, and its owner gets a mail of
/// it; an account that somebody made for another's address is the owner's with one reset
/// of its password.
struct RegisterUser: Command {
    static let name = "auth_register"
    static let title = "Register"
    static let summary = "Make an account of a student or an instructor."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "user.register"
    static let route = Route.post("auth/register")
    static let creates = true
    static let bucket = RateBucket.authBootstrap
    /// An invitation's code is in it.
    static let secretInputs: Set = ["metadata"]

    @Input("The e-mail address.", .length(3...254)) var email: String
    @Input("The password.", .length(1...1_000)) var password: String
    @Input("The first name.", .length(1...50)) var firstName: String
    @Input("The last name.", .length(1...50)) var lastName: String
    @Input("The telephone number.", .length(10...30)) var phone: String?
    @Input("The ZIP code, 5 digits.", .length(5...5)) var zipCode: String
    @Input("student or instructor.") var role = RegistrationRole.student
    @Input("The guest session.") var guestSessionID: ULID?
    @Input("An invitation.") var metadata: RegistrationMetadata?

    @Prepared var hash: PasswordHash?

    struct Output: Codable, Sendable {
        var message: String
        var email: String
    }

    /// The hash is made before anybody looks whether the address is known.
    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        var problems: [Failure.Field] = []
        let address = User.normalized(email: email)
        if !Recipient.isAddress(address) { problems.append(.init("email", "is not an e-mail address")) }
        if let problem = PasswordRules.problem(password, email: address) {
            problems.append(.init("password", problem))
        }
        for (name, text) in [("first_name", firstName), ("last_name", lastName)]
        where text.allSatisfy(\.isWhitespace) || text.contains(where: \.isNewline) {
            problems.append(.init(name, "must be a name"))
        }
        if let phone, PhoneNumber.normalized(phone) == nil {
            problems.append(.init("phone", "must have 10 to 14 digits"))
        }
        if !zipCode.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            problems.append(.init("zip_code", "must be 5 digits"))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        try await db.read { db in
            try RateWindow.registration(ip: context.ip).requireRoom(db, now: context.now)
        }
        hash = try await PasswordHash.make(password)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        try RateWindow.registration(ip: context.ip).take(tx, now: context.now)
        let address = User.normalized(email: email)
        do {
            try tx.savepoint { try register(address, tx, context) }
        } catch let failure as Failure where failure.code != .internal {
            // Nothing of the account stays, but it was a try: codes are guessed like this.
            throw KeptRefusal(failure)
        }
        return Output(message: "Thank you. We have sent you an e-mail.", email: address)
    }

    private func register(_ address: String, _ tx: Transaction, _ context: Context) throws {
        guard try !create(address, tx, context) else { return }
        try rehearse(tx, context)
        if let known = try User.find(email: address, tx), known.canSignIn {
            try tx.send(AuthMail.registeredAgain(known, context))
        }
    }

    /// - Returns: false when the address is taken.
    private func create(_ address: String, _ tx: Transaction, _ context: Context) throws -> Bool {
        guard let user = try add(address, tx, context) else { return false }
        try tx.unit.acting(as: user.actor(session: nil, tx)) {
            try tx.audit("user.create", user.subject, metadata: ["role": .string(role.rawValue)])
            for step in Feature.registrationSteps { try step(account(user), tx, context) }
        }
        if let guestSessionID { try GuestSession.convert(guestSessionID, to: user.id, tx, context) }
        try tx.send(AuthMail.welcome(user, context))
        return true
    }

    /// Does the same under an address that nobody has, and undoes it.
    private func rehearse(_ tx: Transaction, _ context: Context) throws {
        struct Undo: Error {}
        do {
            try tx.savepoint {
                _ = try create("\(context.newID())@registration.invalid", tx, context)
                throw Undo()
            }
        } catch is Undo {}
    }

    private func add(_ address: String, _ tx: Transaction, _ context: Context) throws -> User? {
        guard let hash else { throw Failure(.internal, "The registration was not prepared.") }
        return try User.create(
            User.Draft(
                email: address, hashedPassword: hash.text, firstName: firstName, lastName: lastName,
                phone: phone.flatMap(PhoneNumber.normalized), zipCode: zipCode,
                timezone: ZIPTimeZone.zone(of: zipCode)), roles: [role.userRole], tx, context)
    }

    private func account(_ user: User) -> NewAccount {
        NewAccount(
            user: user, email: User.normalized(email: email), role: role.userRole,
            inviteCode: metadata?.inviteCode, guestSessionID: guestSessionID)
    }
}
