package import Features
package import Kernel
import Storage

extension TestPlatform {
    /// Adds a person with these roles, past the registration, and answers as whom they act.
    package func person(
        _ roles: UserRole..., email: String? = nil, firstName: String = "Maria", lastName: String = "Lopez",
        password: String = "not a hash"
    ) async throws -> Actor {
        try await person(roles, email, firstName, lastName, password)
    }

    private func person(
        _ roles: [UserRole], _ email: String?, _ firstName: String, _ lastName: String, _ password: String
    ) async throws -> Actor {
        let context = context(.system("test"))
        let address = email ?? "p\(context.newID().description.lowercased())@example.com"
        return try await database.write { tx in
            let draft = User.Draft(
                email: address, hashedPassword: password, firstName: firstName, lastName: lastName,
                zipCode: "10001")
            guard let user = try User.create(draft, roles: roles, tx, context) else {
                throw Failure(.conflict, "\(address) is taken")
            }
            return try Access.of(user.id, tx).actor(user, sessionID: nil)
        }
    }

    /// The same person with what they may do by now.
    package func again(_ actor: Actor) async throws -> Actor {
        guard let id = actor.id.flatMap({ ULID($0) }) else { throw Failure(.internal, "not a person") }
        return try await database.read { db in
            guard let user = try User.find(id, db) else { throw Failure(.notFound, "no such person") }
            return try Access.of(id, db).actor(user, sessionID: actor.sessionID)
        }
    }
}
