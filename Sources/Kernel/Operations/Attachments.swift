package import Storage

/// What an answer says beside its output; each surface has its own way to.
package struct Attachments: Sendable, Hashable {
    /// A version of what was answered; an `ETag` over HTTP (RFC 9110 §8.8.3).
    package var version: String?
    /// A session that begins or ends; cookies over HTTP.
    package var credentials: CredentialChange?

    package init(version: String? = nil, credentials: CredentialChange? = nil) {
        self.version = version
        self.credentials = credentials
    }

    package static let none = Attachments()
}

/// What becomes of the caller's credentials.
package enum CredentialChange: Sendable, Hashable {
    package struct TrustedDevice: Sendable, Hashable {
        package var token: String
        package var expiresAt: Instant
        package init(token: String, expiresAt: Instant) { (self.token, self.expiresAt) = (token, expiresAt) }
    }

    package struct SignedIn: Sendable, Hashable {
        package var sessionID: String
        package var accessToken: String
        package var accessExpiresAt: Instant
        package var refreshToken: String
        package var refreshExpiresAt: Instant
        /// A device that need not show a second factor, and until when.
        package var trustedDevice: TrustedDevice?

        package init(
            sessionID: String, accessToken: String, accessExpiresAt: Instant, refreshToken: String,
            refreshExpiresAt: Instant,
            trustedDevice: TrustedDevice? = nil
        ) {
            self.sessionID = sessionID
            self.accessToken = accessToken
            self.accessExpiresAt = accessExpiresAt
            self.refreshToken = refreshToken
            self.refreshExpiresAt = refreshExpiresAt
            self.trustedDevice = trustedDevice
        }
    }

    case signedIn(SignedIn)
    case signedOut
}

/// Thrown by a command that refuses its call and still keeps what it wrote: a
/// failed sign-in counts, whatever the caller is told.
///
/// The transaction commits with an entry of the refusal; nothing is stored
/// under the call's idempotency key.
package struct KeptRefusal: Error {
    package var failure: Failure
    package init(_ failure: Failure) { self.failure = failure }
}

/// Something that a command works out in ``Command/prepare(_:_:)``, before its
/// transaction: slow hashes, or what another system says. Not an argument.
@propertyWrapper
package struct Prepared<Value: Sendable>: Sendable {
    package var wrappedValue: Value?
    package init(wrappedValue: Value? = nil) { self.wrappedValue = wrappedValue }
}

/// What ``InputBinder`` fills in for a ``Prepared`` property.
protocol UnpreparedValue { init() }

extension Prepared: UnpreparedValue {
    init() { wrappedValue = nil }
}

extension Prepared: Decodable {
    /// The operation's synthesized `init(from:)` passes here; nothing is ever read.
    package init(from decoder: any Decoder) throws { self.init(wrappedValue: nil) }
}
