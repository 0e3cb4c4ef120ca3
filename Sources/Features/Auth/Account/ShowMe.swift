import JSON
import Kernel
import Storage

/// A person as they see themselves.
struct MeView: Codable, Sendable {
    var id: String
    var email: String
    var firstName: String
    var lastName: String
    var phone: String?
    var phoneVerified: Bool
    var zipCode: String
    var timezone: String
    var isActive: Bool
    var accountStatus: String
    var roles: [String]
    var permissions: [String]
    var createdAt: String

    init(_ user: User, _ context: Context) {
        id = user.id.description
        (email, firstName, lastName) = (user.email, user.firstName, user.lastName)
        (phone, phoneVerified) = (user.phone, user.isPhoneVerified)
        (zipCode, timezone) = (user.zipCode, user.timezone)
        (isActive, accountStatus) = (user.isActive, user.accountStatus.rawValue)
        roles = context.actor.roles.sorted()
        permissions = context.actor.permissions.map(\.rawValue).sorted()
        createdAt = user.createdAt.description
    }
}

/// Who is signed in.
struct ShowMe: Query {
    static let name = "auth_me"
    static let title = "Show oneself"
    static let summary = "One's account, roles and permissions."
    static let audience = Audience.users
    static let route = Route.get("auth/me")
    typealias Output = MeView

    func run(_ db: Reader, _ context: Context) async throws -> MeView {
        let id = try context.userID()
        guard let user = try await db.read({ try User.find(id, $0) }) else {
            throw Failure(.unauthenticated, "There is no such user.")
        }
        return MeView(user, context)
    }
}

/// Changes what people may change of themselves.
struct ChangeMe: Command {
    static let name = "auth_me_update"
    static let title = "Change oneself"
    static let summary = "Change one's name, ZIP code or time zone; what is left out stays."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageOwnProfile)
    static let action = "user.edit"
    static let route = Route.patch("auth/me")
    typealias Output = MeView

    @Input("The first name.", .length(1...50)) var firstName: String?
    @Input("The last name.", .length(1...50)) var lastName: String?
    @Input("The ZIP code, 5 digits; the time zone follows it unless given.", .length(5...5)) var zipCode:
        String?
    @Input("The time zone, e.g. America/Chicago.", .length(3...50)) var timezone: String?

    func run(_ tx: Transaction, _ context: Context) throws -> MeView {
        if let zipCode, !zipCode.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            throw Failure.invalid([.init("zip_code", "must be 5 digits")])
        }
        if let timezone, !ZIPTimeZone.all.contains(timezone) {
            throw Failure.invalid([
                .init("timezone", "must be one of \(ZIPTimeZone.all.joined(separator: ", "))")
            ])
        }
        guard var user = try User.lock(try context.userID(), tx) else {
            throw Failure(.unauthenticated, "There is no such user.")
        }
        let before = user
        user.firstName = firstName ?? user.firstName
        user.lastName = lastName ?? user.lastName
        user.timezone = timezone ?? zipCode.map(ZIPTimeZone.zone) ?? user.timezone
        user.zipCode = zipCode ?? user.zipCode
        try user.storeProfile(from: before, tx, context)
        return MeView(user, context)
    }
}
