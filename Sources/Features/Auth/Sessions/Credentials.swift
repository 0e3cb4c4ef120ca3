import Kernel
import Storage

/// The tokens of a session, made before the transaction that stores it; of no use
/// unless that commits.
struct Credentials: Sendable {
    var user: ULID
    var session: ULID
    var access: String
    var accessExpiresAt: Instant
    var refresh: String

    /// - Parameter session: the one that goes on; nil begins a new one.
    static func make(for user: ULID, session: ULID? = nil, _ context: Context) async throws -> Credentials {
        let keys = try await TokenKeys(context.environment.secrets, purpose: AccessToken.purpose)
        let lifetime = Duration.seconds(60 * context.configuration.accessTokenMinutes)
        let session = session ?? context.newID()
        let claims = AccessToken(
            user: user, session: session, id: context.newID(), at: context.now, for: lifetime)
        return Credentials(
            user: user, session: session, access: try await keys.sign(claims),
            accessExpiresAt: context.now + lifetime, refresh: RefreshToken.random())
    }
}
