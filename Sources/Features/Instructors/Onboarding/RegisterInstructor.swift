package import Kernel
package import Storage

/// What a registration adds for the role `instructor`: the profile and the first
/// event of the funnel.
package enum RegisterInstructor {
    /// Runs inside the registration's transaction, after the person was added.
    package static func run(_ user: ULID, roles: [UserRole], _ tx: Transaction, _ context: Context) throws {
        guard roles.contains(.instructor), try InstructorProfile.find(user: user, tx) == nil else { return }
        try InstructorProfile.create(user, tx, context)
    }
}
