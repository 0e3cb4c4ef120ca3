import JSON
import Kernel
import Storage

/// One person as an administrator sees them.
struct ShowUser: Query {
    static let name = "user_show"
    static let summary = "One person with roles, permissions and the state of the account."
    static let audience = Audience.holders(.viewAllUsers)
    static let route = Route.get("admin/users/:user_id")
    static let action = "user.view"

    @Input("The person's id.") var userID: ULID
    typealias Output = UserAccessView
    var subject: Subject? { Subject("user", userID.description) }

    func run(_ db: Reader, _ context: Context) async throws -> UserAccessView {
        let id = userID
        return try await db.read { try UserAccessView(id, $0) }
    }
}

/// Gives a person exactly these roles.
struct SetUserRoles: Command {
    static let name = "user_set_roles"
    static let summary = "Give a person exactly these roles; their tokens then end."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageRoles)
    static let route = Route.put("admin/users/:user_id/roles")
    static let action = "user.set_roles"

    @Input("The person's id.") var userID: ULID
    @Input("The roles.", .count(1...3)) var roles: [UserRole]
    typealias Output = UserAccessView
    var subject: Subject? { Subject("user", userID.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> UserAccessView {
        guard let user = try User.lock(userID, tx) else { throw UserAccessView.notFound(userID) }
        let old = try Access.of(user.id, tx).roles
        let new = UserRole.allCases.filter(roles.contains)
        let (gone, added) = (old.filter { !new.contains($0) }, new.filter { !old.contains($0) })
        try user.leavingAnAdministrator(tx) {
            for role in gone {
                try tx.run("DELETE FROM user_roles WHERE user_id = \(user.id) AND role = \(role)")
            }
        }
        for role in added {
            try tx.run(
                """
                INSERT INTO user_roles (user_id, role, assigned_at) VALUES (\(user.id), \(role), \(context.now))
                """)
        }
        if !gone.isEmpty || !added.isEmpty {
            func names(_ roles: [UserRole]) -> JSONValue { .array(roles.map { .string($0.rawValue) }) }
            try tx.audit(
                "user.role_change", user.subject,
                changes: changes(from: ["roles": names(old)], to: ["roles": names(new)]))
        }
        if !gone.isEmpty { try User.endTokens(of: user.id, tx, context) }
        return try UserAccessView(user.id, tx)
    }
}

/// Grants or takes away one permission, whatever the person's roles say.
struct SetUserPermission: Command {
    static let name = "user_set_permission"
    static let summary = "Grant or revoke one permission for a person, or leave it to their roles."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.managePermissions)
    static let route = Route.put("admin/users/:user_id/permissions/:permission")
    static let action = "user.set_permission"

    @Input("The person's id.") var userID: ULID
    @Input("The permission's name.") var permission: String
    @Input("true grants, false revokes; without it the roles decide again.") var granted: Bool?
    typealias Output = UserAccessView
    var subject: Subject? { Subject("user", userID.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> UserAccessView {
        guard Permission.all.contains(Permission(rawValue: permission)) else {
            let names = Permission.all.map(\.rawValue).sorted().joined(separator: ", ")
            throw Failure.invalid([.init("permission", "must be one of \(names)")])
        }
        guard let user = try User.lock(userID, tx) else { throw UserAccessView.notFound(userID) }
        let mine: SQL = "user_id = \(user.id) AND permission = \(permission)"
        let old: Bool? = try tx.value("SELECT granted FROM user_permissions WHERE \(mine)")
        if let granted {
            try tx.run(
                """
                INSERT INTO user_permissions (user_id, permission, granted, updated_at)
                VALUES (\(user.id), \(permission), \(granted), \(context.now))
                ON CONFLICT (user_id, permission) DO UPDATE SET granted = excluded.granted, \
                updated_at = excluded.updated_at
                """)
        } else {
            try tx.run("DELETE FROM user_permissions WHERE \(mine)")
        }
        if old != granted {
            func state(_ flag: Bool?) -> JSONValue {
                .string(flag.map { $0 ? "granted" : "revoked" } ?? "by role")
            }
            try tx.audit(
                "user.permission_change", user.subject,
                changes: changes(from: [permission: state(old)], to: [permission: state(granted)]))
        }
        return try UserAccessView(user.id, tx)
    }
}

/// A person's account and what they may do.
struct UserAccessView: Codable, Sendable {
    var id: ULID
    var email: String
    var name: String
    var isActive: Bool
    var accountStatus: AccountStatus
    var roles: [UserRole]
    var permissions: [String]
    var createdAt: Instant
    var lastLoginAt: Instant?

    init(_ id: ULID, _ db: Snapshot) throws {
        guard let user = try User.find(id, db) else { throw Self.notFound(id) }
        let access = try Access.of(id, db)
        self.id = id
        email = user.email
        name = "\(user.firstName) \(user.lastName)"
        isActive = user.isActive
        accountStatus = user.accountStatus
        roles = access.roles
        permissions = access.permissions.map(\.rawValue).sorted()
        createdAt = user.createdAt
        lastLoginAt = user.lastLoginAt
    }

    static func notFound(_ id: ULID) -> Failure {
        Failure(.notFound, "There is no person with the id \(id).", reason: "user_not_found")
    }
}
