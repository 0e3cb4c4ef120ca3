import Kernel
import Storage

/// Where a person is signed in.
struct ListSessions: Query {
    static let name = "auth_sessions_list"
    static let title = "List one's sessions"
    static let summary = "Where one is signed in, newest first."
    static let audience = Audience.users
    static let route = Route.get("auth/sessions")

    struct Session: Codable, Sendable {
        var id: String
        var createdAt: String
        var lastUsedAt: String
        var expiresAt: String
        var ip: String?
        var userAgent: String?
        var isCurrent: Bool
    }

    struct Output: Codable, Sendable {
        var sessions: [Session]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let open = try await db.read { try UserSession.open(of: user, $0, now: context.now) }
        return Output(
            sessions: open.map { session in
                Session(
                    id: session.id.description, createdAt: session.createdAt.description,
                    lastUsedAt: session.lastUsedAt.description, expiresAt: session.expiresAt.description,
                    ip: session.ip,
                    userAgent: session.userAgent.map { UntrustedText.cleaned($0, maximumCharacters: 200) },
                    isCurrent: session.id.description == context.actor.sessionID)
            })
    }
}

/// Signs out elsewhere.
struct EndSession: Command {
    static let name = "auth_session_revoke"
    static let title = "End one of one's sessions"
    static let summary = "Sign out on another device."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let action = "session.revoke"
    static let route = Route.delete("auth/sessions/:session_id")

    @Input("The session.") var sessionID: ULID

    var subject: Subject? { Subject("session", sessionID.description) }

    struct Output: Codable, Sendable {
        var id: String
        var isEnded = true
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        guard let session = try UserSession.find(sessionID, tx), session.userID == user,
            try UserSession.end(sessionID, .revoked, tx, now: context.now)
        else {
            throw Failure(
                .notFound, "You have no open session with the id \(sessionID).",
                hint: "GET auth/sessions lists them.", reason: "session_not_found")
        }
        return Output(id: sessionID.description)
    }
}
