package import Kernel

extension Feature {
    /// People: students, instructors and administrators, and what they may do.
    package static let users = Feature(
        name: "users", summary: "People, their roles and what they may do.",
        operations: [ShowUser.self, SetUserRoles.self, SetUserPermission.self],
        migrations: [userMigration])
}
