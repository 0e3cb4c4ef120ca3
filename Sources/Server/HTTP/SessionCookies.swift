import HTTPTypes
import Hummingbird
import Kernel
import Storage

/// The cookies of people's sessions (RFC 6265), in and out.
///
/// | cookie | path | |
/// |---|---|---|
/// | `sid_prod`, `sid_preview` or `access_token` | `/` | the access token |
/// | `refresh_token` | `/api/v1` | to refresh and sign out with; never sent from another site's page |
/// | `tfa_device` | `/api/v1` | a device that is trusted with the second factor |
/// | `csrf_token` | `/` | for the page's scripts, to be sent back as `X-CSRF-Token` |
struct SessionCookies: Sendable {
    private let accessName: String
    private let isSecure: Bool

    init(_ configuration: Kernel.Configuration) {
        switch configuration.environmentName {
        case "production", "prod": (accessName, isSecure) = ("sid_prod", true)
        case "preview", "stg", "staging": (accessName, isSecure) = ("sid_preview", true)
        default: (accessName, isSecure) = ("access_token", false)
        }
    }

    func accessToken(_ request: Request) -> String? { value(accessName, request) }

    func presented(_ request: Request) -> PresentedCredentials {
        PresentedCredentials(
            refreshToken: value("refresh_token", request), deviceToken: value("tfa_device", request))
    }

    /// The `Set-Cookie` fields of a change.
    func fields(_ change: CredentialChange, _ keys: Keys, at now: Instant) -> [String] {
        switch change {
        case .signedIn(let session):
            var fields = [
                field(accessName, session.accessToken, path: "/", until: session.accessExpiresAt, now),
                field(
                    "refresh_token", session.refreshToken, path: "/api/v1",
                    until: session.refreshExpiresAt,
                    now, sameSite: "Strict"),
                field(
                    "csrf_token", keys.pageToken(session: session.sessionID), path: "/",
                    until: session.refreshExpiresAt, now, isForScripts: true),
            ]
            if let device = session.trustedDevice {
                fields.append(
                    field("tfa_device", device.token, path: "/api/v1", until: device.expiresAt, now))
            }
            return fields
        case .signedOut:
            return [
                field(accessName, "", path: "/", until: now, now),
                field("refresh_token", "", path: "/api/v1", until: now, now, sameSite: "Strict"),
                field("csrf_token", "", path: "/", until: now, now, isForScripts: true),
            ]
        }
    }

    private func field(
        _ name: String, _ value: String, path: String, until end: Instant, _ now: Instant,
        sameSite: String = "Lax", isForScripts: Bool = false
    ) -> String {
        let seconds = max(0, (end - now).components.seconds)
        var text = "\(name)=\(value); Path=\(path); Max-Age=\(seconds); SameSite=\(sameSite)"
        if !isForScripts { text += "; HttpOnly" }
        if isSecure { text += "; Secure" }
        return text
    }

    /// The first cookie of that name (§5.4); ours hold no character that would need quoting.
    private func value(_ name: String, _ request: Request) -> String? {
        for field in request.headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
                if parts.count == 2, parts[0] == name, !parts[1].isEmpty { return parts[1] }
            }
        }
        return nil
    }
}
