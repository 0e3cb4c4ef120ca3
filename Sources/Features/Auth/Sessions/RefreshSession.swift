import Kernel
import Storage

/// Trades a refresh token for new tokens of the same session.
struct RefreshSession: Command {
    static let name = "auth_refresh"
    static let title = "Renew a session"
    static let summary = "Trade a refresh token, which is good for once, for new tokens."
    static let effect = Effect.additive
    static let audience = Audience.anyone
    static let action = "session.refresh"
    static let route = Route.post("auth/refresh")
    static let bucket = RateBucket.authBootstrap

    @Input("The refresh token; the cookie's when left out.", .length(1...200)) var refreshToken: String?

    @Prepared var presented: String?
    @Prepared var credentials: Credentials?

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let token = refreshToken ?? context.credentials.refreshToken
        presented = token
        let session = try await db.read { db in
            try RateWindow.refresh(ip: context.ip).requireRoom(db, now: context.now)
            return try token.flatMap { try RefreshToken.find($0, db) }
                .flatMap { try UserSession.find($0.session, db) }
        }
        guard let session else { return }
        credentials = try await Credentials.make(for: session.userID, session: session.id, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> SignInResult {
        let now = context.now
        try RateWindow.refresh(ip: context.ip).take(tx, now: now)
        // The person's row is held: an account is not closed, nor a token used, meanwhile.
        guard let presented, let credentials, let user = try User.lock(credentials.user, tx),
            let token = try RefreshToken.find(presented, tx)
        else { throw KeptRefusal(Self.refused) }
        guard token.usedAt == nil else { return try reused(token, user.id, tx, context) }
        guard token.expiresAt > now, user.canSignIn,
            try UserSession.find(token.session, tx)?.isOpen(at: now) == true
        else { throw KeptRefusal(Self.refused) }
        guard try RefreshToken.use(presented, tx, now: now) else {
            return try reused(token, user.id, tx, context)
        }
        try UserSession.renew(credentials, tx, context)
        return SignInResult(credentials, at: now)
    }

    /// Of two who hold a token one stole it, and nobody can tell which: both are out.
    private func reused(
        _ token: RefreshToken, _ user: ULID, _ tx: Transaction, _ context: Context
    ) throws -> SignInResult {
        if try UserSession.end(token.session, .refreshReused, tx, now: context.now) {
            try tx.audit(
                "session.refresh_reused", Subject("user", user.description),
                description: "A refresh token was used twice; its session was ended", status: .denied)
        }
        throw KeptRefusal(Self.refused)
    }

    static func attachments(of output: SignInResult) -> Attachments { output.attachments }

    private static var refused: Failure {
        Failure(
            .unauthenticated, "The refresh token is not good.", hint: "Sign in again.",
            reason: "invalid_refresh_token")
    }
}
