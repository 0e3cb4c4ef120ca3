import Kernel
import Storage

/// What a sign-in answers: tokens, or the question for the second factor.
struct SignInResult: Codable, Sendable {
    var requires2fa: Bool
    /// For 2fa/verify-login; good for a minute.
    var tempToken: String?
    var accessToken: String?
    var refreshToken: String?
    var tokenType = "bearer"
    /// Seconds that the access token is good.
    var expiresIn: Int?
    /// For a device that is trusted from now on; shown once.
    var trustedDeviceToken: String?
    /// What becomes of cookies; no part of the answer.
    private var change: CredentialChange?

    init(challenge: String) {
        requires2fa = true
        tempToken = challenge
    }

    init(_ credentials: Credentials, device: String? = nil, at now: Instant) {
        requires2fa = false
        accessToken = credentials.access
        refreshToken = credentials.refresh
        expiresIn = Int((credentials.accessExpiresAt - now).components.seconds)
        trustedDeviceToken = device
        change = .signedIn(
            .init(
                sessionID: credentials.session.description, accessToken: credentials.access,
                accessExpiresAt: credentials.accessExpiresAt, refreshToken: credentials.refresh,
                refreshExpiresAt: now + UserSession.lifetime,
                trustedDevice: device.map { .init(token: $0, expiresAt: now + TrustedDevice.lifetime) }))
    }

    var attachments: Attachments { Attachments(credentials: change) }

    /// Half a sign-in is none yet.
    var verdict: (status: AuditStatus, error: String?) {
        requires2fa ? (.denied, "The second factor is required.") : (.success, nil)
    }

    private enum CodingKeys: String, CodingKey {
        case requires2fa = "requires_2fa"
        case tempToken, accessToken, refreshToken, tokenType, expiresIn, trustedDeviceToken
    }
}
