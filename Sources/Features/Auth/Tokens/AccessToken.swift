import JWTKit
import Kernel
import Storage

/// What a person's requests carry: who it is, in which session, and until when.
struct AccessToken: JWTPayload, Hashable {
    static let purpose = "access-token"
    static let issuer = "instainstru-auth"
    static let audience = "instainstru"

    var sub: String
    /// The session; ended with it.
    var sid: String
    var jti: String
    /// Seconds with a fraction (RFC 7519 §2), so that an order within a second is kept.
    var iat: Double
    var exp: Double
    var iss: String
    var aud: String

    init(user: ULID, session: ULID, id: ULID, at now: Instant, for lifetime: Duration) {
        (sub, sid, jti) = (user.description, session.description, id.description)
        (iat, exp) = (now.seconds, (now + lifetime).seconds)
        (iss, aud) = (Self.issuer, Self.audience)
    }

    var issuedAt: Instant { Instant(seconds: iat) }
    var expiresAt: Instant { Instant(seconds: exp) }
    var isOurs: Bool { iss == Self.issuer && aud == Self.audience }

    /// Times are compared with the call's clock, by whoever asks.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Says that somebody knew the password, and owes the second factor.
struct ChallengeToken: JWTPayload, Hashable {
    static let purpose = "two-factor-token"
    static let audience = "instainstru-2fa"
    static let lifetime = Duration.seconds(60)

    var sub: String
    /// Used up by the sign-in.
    var jti: String
    var iat: Double
    var exp: Double
    var iss: String
    var aud: String
    var tfa_pending: Bool

    init(user: ULID, id: ULID, at now: Instant) {
        (sub, jti) = (user.description, id.description)
        (iat, exp) = (now.seconds, (now + Self.lifetime).seconds)
        (iss, aud, tfa_pending) = (AccessToken.issuer, Self.audience, true)
    }

    var issuedAt: Instant { Instant(seconds: iat) }
    var expiresAt: Instant { Instant(seconds: exp) }

    func isValid(at now: Instant) -> Bool {
        iss == AccessToken.issuer && aud == Self.audience && tfa_pending && expiresAt > now
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

extension Instant {
    /// Seconds since 1970, exact to the microsecond for the next centuries.
    fileprivate var seconds: Double { Double(microseconds) / 1_000_000 }

    fileprivate init(seconds: Double) {
        let microseconds = (seconds * 1_000_000).rounded()
        self.init(microseconds: Int64(exactly: microseconds) ?? 0)
    }
}
