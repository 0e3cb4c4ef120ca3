import Kernel
import Storage

/// Ends the caller's session; succeeds whoever calls.
///
/// A session outlives its access tokens, so whose has expired is known by the refresh
/// cookie, sent from a page of ours.
struct SignOut: Command {
    static let name = "auth_logout"
    static let title = "Sign out"
    static let summary = "End the session, and forget its cookies."
    static let effect = Effect.additive
    static let isIdempotent = true
    static let audience = Audience.anyone
    static let action = "user.logout"
    static let route = Route.post("public/logout")

    struct Output: Codable, Sendable {
        var message: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        if let id = context.actor.sessionID.flatMap({ ULID($0) }),
            context.actor.isPerson
        {
            try UserSession.end(id, .logout, tx, now: context.now)
        } else if let session = try renewable(tx, context), let user = try User.find(session.userID, tx) {
            try UserSession.end(session.id, .logout, tx, now: context.now)
            try tx.unit.become(user.actor(session: session.id, tx))
        }
        return Output(message: "You are signed out.")
    }

    static func attachments(of output: Output) -> Attachments { Attachments(credentials: .signedOut) }

    /// The open session of the refresh cookie.
    private func renewable(_ tx: Transaction, _ context: Context) throws -> UserSession? {
        guard let text = context.credentials.refreshToken, let token = try RefreshToken.find(text, tx),
            context.credentials.isOwnPage(token.session.description),
            let session = try UserSession.find(token.session, tx), session.isOpen(at: context.now)
        else { return nil }
        return session
    }
}

/// Begins a visit without an account.
struct BeginGuestSession: Command {
    static let name = "guest_session_create"
    static let title = "Begin a guest session"
    static let summary = "Begin a session of somebody who has not signed in."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "guest.session"
    static let route = Route.post("public/session/guest")
    static let creates = true
    static let bucket = RateBucket.authBootstrap

    struct Output: Codable, Sendable {
        var guestId: String
        var expiresAt: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try GuestSession.create(tx, context)
        return Output(
            guestId: id.description, expiresAt: (context.now + GuestSession.lifetime).description)
    }
}
