import Kernel
import Storage

extension InstructorProfile {
    /// A profile that the caller may see: the caller's own, or any for those who
    /// manage users. Another's is as good as missing.
    static func accessible(_ id: ULID, _ profile: InstructorProfile?, _ context: Context) throws
        -> InstructorProfile
    {
        let user = try context.userID()
        guard let profile, profile.userID == user || context.actor.permissions.contains(.manageUsers) else {
            throw missing(id)
        }
        return profile
    }

    static func lockAccessible(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> InstructorProfile
    {
        try accessible(id, try lock(id, tx), context)
    }

    static func missing(_ id: ULID) -> Failure {
        Failure(.notFound, "There is no instructor profile with the id \(id).", reason: "profile_not_found")
    }
}
