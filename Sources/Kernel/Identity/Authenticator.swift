package import Storage
import Synchronization

/// Turns an `Authorization` header into an ``Actor``, or says exactly why not.
///
/// A verified token is remembered for ``memory``; a revocation therefore takes
/// effect within that time on every process.
package final class Authenticator: Sendable {
    package static let memory = Duration.seconds(1)

    private let database: any Database
    private let known = Mutex<[ULID: (token: ServiceToken, until: Instant)]>([:])

    package init(database: any Database) { self.database = database }

    /// - Parameter header: the header's value, exactly as received.
    /// - Throws: ``Failure/Code/unauthenticated``; the reason is `missing_token`,
    ///   `invalid_token`, `token_expired` or `token_revoked`.
    package func actor(authorization header: String?, at now: Instant) async throws -> Actor {
        guard let header, !header.isEmpty else {
            throw refusal("No token was sent.", "missing_token")
        }
        let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw refusal("The Authorization header must be 'Bearer <token>'.", "invalid_token")
        }
        return try await actor(token: String(parts[1]), at: now)
    }

    package func actor(token text: String, at now: Instant) async throws -> Actor {
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "itk", let id = ULID(String(parts[1])) else {
            throw refusal("The token is not one of ours.", "invalid_token")
        }
        guard let token = try await token(id, at: now),
            Secrets.isEqual(Secrets.hash(text), token.tokenHash)
        else { throw refusal("The token is not known.", "invalid_token") }
        if let revokedAt = token.revokedAt {
            throw refusal("The token '\(token.name)' was revoked at \(revokedAt).", "token_revoked", token)
        }
        guard token.expiresAt > now else {
            throw refusal("The token '\(token.name)' expired at \(token.expiresAt).", "token_expired", token)
        }
        return token.actor
    }

    private func token(_ id: ULID, at now: Instant) async throws -> ServiceToken? {
        if let hit = known.withLock({ $0[id] }), hit.until > now { return hit.token }
        let token = try await database.read { try ServiceToken.find(id, $0) }
        known.withLock { known in
            // Only ids that exist are kept, so guessing cannot grow the table.
            known[id] = token.map { ($0, now + Self.memory) }
        }
        return token
    }

    private func refusal(_ message: String, _ reason: String, _ token: ServiceToken? = nil) -> Failure {
        Failure(
            .unauthenticated, message,
            hint: "Send 'Authorization: Bearer <token>'; instainstru token create makes one.", reason: reason)
    }
}
