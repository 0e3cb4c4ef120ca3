import JSON
import Kernel
import Storage

/// Everything that is held about one person (GDPR art. 15 and 20), from one snapshot.
///
/// Sections come from ``PersonalTable/all``; several tables may share one.
struct PersonalExport: Codable, Sendable {
    var exportDate: Instant
    var userProfile: UserProfile
    /// Section → rows, each with its table's columns.
    var sections: RawJSON

    struct UserProfile: Codable, Sendable {
        var id: ULID
        var email: String
        var firstName: String
        var lastName: String
        var phone: String?
        var zipCode: String
        var timezone: String
        var isActive: Bool
        var accountStatus: AccountStatus
        var lastLoginAt: Instant?
        var createdAt: Instant
        var updatedAt: Instant
    }

    init(of id: ULID, _ db: Snapshot, _ context: Context) throws {
        guard let user = try User.find(id, db), user.deletedAt == nil else {
            throw UserAccessView.notFound(id)
        }
        exportDate = context.now
        userProfile = UserProfile(
            id: user.id, email: user.email, firstName: user.firstName, lastName: user.lastName,
            phone: user.phone,
            zipCode: user.zipCode, timezone: user.timezone, isActive: user.isActive,
            accountStatus: user.accountStatus, lastLoginAt: user.lastLoginAt, createdAt: user.createdAt,
            updatedAt: user.updatedAt)
        let person = Person(user)
        var found: JSONObject = [:]
        for table in PersonalTable.all {
            guard let section = table.export?.section else { continue }
            found[section] = .array((found[section]?.arrayValue ?? []) + (try table.exported(person, db)))
        }
        sections = RawJSON(.object(found))
    }
}

/// Shows a person everything that is held about them.
struct ExportMyData: Query {
    static let name = "privacy_export_me"
    static let summary = "Everything that is held about you, as one document."
    static let audience = Audience.users
    static let route = Route.get("privacy/export/me")
    static let action = "user.data_export"
    static let bucket = RateBucket.financial
    static let isRecorded = true
    typealias Output = PersonalExport

    func run(_ db: Reader, _ context: Context) async throws -> PersonalExport {
        let id = try context.userID()
        return try await db.read { try PersonalExport(of: id, $0, context) }
    }
}

/// The same for an administrator who answers somebody's request.
struct ExportUserData: Query {
    static let name = "privacy_export_user"
    static let summary = "Everything that is held about one person, as one document."
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.get("privacy/export/user/:user_id")
    static let action = "user.data_export"
    typealias Output = PersonalExport

    @Input("The person's id.") var userID: ULID
    var subject: Subject? { Subject("user", userID.description) }

    func run(_ db: Reader, _ context: Context) async throws -> PersonalExport {
        let id = userID
        return try await db.read { try PersonalExport(of: id, $0, context) }
    }
}
