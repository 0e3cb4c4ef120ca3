package import Kernel
package import Storage

/// Turns a person's access token into an ``Kernel/Actor``, or says why not.
///
/// The database is asked once per request, so that a session that was ended, a
/// password that was changed or an account that was closed a moment ago counts now.
package struct UserAuthenticator: Sendable {
    private let database: any Database
    private let keys: TokenKeys

    package init(database: any Database, secrets: SecretKeys) async throws {
        self.database = database
        keys = try await TokenKeys(secrets, purpose: AccessToken.purpose)
    }

    /// - Throws: ``Kernel/Failure/Code/unauthenticated``; the reason is `invalid_token`,
    ///   `token_expired` or `token_revoked`.
    package func actor(token text: String, at now: Instant) async throws -> Actor {
        guard let token = await keys.claims(text, as: AccessToken.self), token.isOurs,
            let id = ULID(token.sub), let session = ULID(token.sid)
        else { throw Self.refusal("The token is not one of ours.", "invalid_token") }
        guard token.expiresAt > now else { throw Self.refusal("The token has expired.", "token_expired") }
        let actor = try await database.read { db -> Actor? in
            guard let held = try UserSession.find(session, db), held.userID == id, held.isOpen(at: now),
                let user = try User.find(id, db), user.canSignIn, !user.isDead(tokenOf: token.issuedAt)
            else { return nil }
            return try user.actor(session: session, db)
        }
        guard let actor else { throw Self.refusal("The session has ended.", "token_revoked") }
        return actor
    }

    private static func refusal(_ message: String, _ reason: String) -> Failure {
        Failure(
            .unauthenticated, message, hint: "Sign in again: POST auth/login or auth/refresh.", reason: reason
        )
    }
}
