package import Kernel
package import Storage

/// What a person may do: the union of their roles' permissions, then their own
/// overrides. A grant adds, a revoke takes away, whatever the roles say.
package struct Access: Sendable, Hashable {
    package var roles: [UserRole]
    package var permissions: Set<Permission>

    /// Read in one statement.
    package static func of(_ user: ULID, _ db: Snapshot) throws -> Access {
        let rows = try db.rows(
            """
            SELECT 'role', role, 1 FROM user_roles WHERE user_id = \(user)
            UNION ALL
            SELECT 'permission', permission, CASE WHEN granted THEN 1 ELSE 0 END FROM user_permissions
            WHERE user_id = \(user)
            """)
        var roles: [UserRole] = []
        var overrides: [(Permission, isGrant: Bool)] = []
        for row in rows {
            let name: String = try row.get(at: 1)
            if try row.get(at: 0) == "role" {
                if let role = UserRole(rawValue: name) { roles.append(role) }
            } else {
                overrides.append((Permission(rawValue: name), try row.get(at: 2) == 1))
            }
        }
        return Access(roles: roles.sorted { $0.rawValue < $1.rawValue }, overrides: overrides)
    }

    init(roles: [UserRole], overrides: [(Permission, isGrant: Bool)]) {
        self.roles = roles
        permissions = Set(roles.flatMap(\.permissions))
        permissions.formUnion(overrides.filter(\.isGrant).map(\.0))
        permissions.subtract(overrides.filter { !$0.isGrant }.map(\.0))
    }

    package func has(_ role: UserRole) -> Bool { roles.contains(role) }

    /// The person as whoever calls; those who may use the operators' tools get their scopes.
    package func actor(_ user: User, sessionID: String?) -> Actor {
        var scopes: Set<Scope> = []
        if permissions.contains(.mcpAccess) {
            if permissions.contains(.adminRead) { scopes.insert(.read) }
            if permissions.contains(.adminManage) { scopes.insert(.write) }
        }
        var actor = Actor(
            type: .user, id: user.id.description, email: user.email, name: user.privacyName, scopes: scopes,
            roles: roles.map(\.rawValue))
        actor.permissions = permissions
        actor.sessionID = sessionID
        return actor
    }
}
