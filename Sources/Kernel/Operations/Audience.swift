/// Something a signed-in person may do, e.g. `manage_users`; features name theirs.
package struct Permission: Sendable, Hashable, RawRepresentable, ExpressibleByStringLiteral {
    package var rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral name: String) { rawValue = name }
}

/// Whom an ``Operation`` is for. It decides the surfaces that show it, the path
/// that it is under, and what a caller must have.
package enum Audience: Sendable, Hashable {
    /// Administrators' programs: an MCP tool, a command line verb and a REST route
    /// under `/api/v1/admin/mcp/`; needs a token with the operation's scope.
    case operators
    /// Anybody: a REST route under `/api/v1/`. Who is signed in is known all the same.
    case anyone
    /// Any signed-in person: a REST route under `/api/v1/`.
    case users
    /// A signed-in person whose effective permissions hold this one.
    case holders(Permission)

    /// Where the operation's route begins.
    package var pathPrefix: String { self == .operators ? "/api/v1/admin/mcp/" : "/api/v1/" }
}

extension Audience {
    /// Of a call's entries: what people do in their own affairs is not administration,
    /// whatever permission it takes.
    func category(of actor: Actor, isRead: Bool = false) -> AuditCategory {
        switch self {
        case .operators: isRead ? .read : .admin
        case .holders where actor.roles.contains("admin"): isRead ? .read : .admin
        case .holders, .anyone, .users: .user
        }
    }

    /// Whether looking is recorded: an administrator's is, a person's at what is theirs
    /// only where the operation says so.
    func watches(_ actor: Actor) -> Bool {
        guard case .holders = self else { return true }
        return actor.roles.contains("admin")
    }

    /// What a call is about that names nothing: people act on their own affairs.
    func subject(of actor: Actor) -> Subject {
        switch self {
        case .anyone, .users: actor.isPerson ? Subject("user", actor.id) : Subject("mcp", nil)
        case .holders where actor.isPerson && !actor.roles.contains("admin"): Subject("user", actor.id)
        case .operators, .holders: Subject("mcp", nil)
        }
    }

    /// Why `actor` may not call `name`; nil when it may.
    func refusal(of actor: Actor, calling name: String, scope: Scope) -> Failure? {
        switch self {
        case .operators: actor.scopes.contains(scope) ? nil : Self.missing(scope, name)
        case .anyone: nil
        case .users: actor.isPerson ? nil : Self.notSignedIn
        case .holders(let permission):
            if !actor.isPerson {
                Self.notSignedIn
            } else {
                actor.lack(of: permission)
            }
        }
    }

    private static func missing(_ scope: Scope, _ name: String) -> Failure {
        var failure = Failure(
            .forbidden, "\(name) needs the scope \(scope.rawValue).",
            hint: "Use a token that has it: instainstru token create --scopes \(scope.rawValue).",
            reason: "insufficient_scope")
        failure.requiredScopes = [scope]
        return failure
    }

    fileprivate static func missing(_ permission: Permission) -> Failure {
        Failure(
            .forbidden, "This needs the permission \(permission.rawValue).",
            hint: "An administrator can grant it.", reason: "missing_permission")
    }

    static let notSignedIn = Failure(
        .unauthenticated, "This needs a signed-in person.",
        hint: "Sign in at /api/v1/auth/login and send 'Authorization: Bearer <access_token>'.",
        reason: "missing_token")
}

extension Actor {
    /// Why the actor may not do what takes this permission; nil when they may.
    package func lack(of permission: Permission) -> Failure? {
        permissions.contains(permission) ? nil : Audience.missing(permission)
    }
}

/// Whose budget of calls an operation takes from: each bucket has its own rate
/// per person, or per address for callers who are not signed in.
package enum RateBucket: String, Sendable, CaseIterable {
    /// Administrators' tokens; set by `RATE_LIMIT_PER_MINUTE` and `RATE_LIMIT_BURST`.
    case operators
    case read, write, conversation, financial
    /// All that people and guests do; taken from beside the operation's own.
    case general
    /// What the start of a session needs: signing in, refreshing, who am I.
    case authBootstrap = "auth_bootstrap"
    /// Looking at the links of password resets.
    case resetVerify = "reset_verify"

    /// Domain specification §4.2, units per minute and at once.
    var rate: (perMinute: Int, burst: Int)? {
        switch self {
        case .operators: nil
        case .read: (120, 20)
        case .write: (30, 10)
        case .conversation: (60, 10)
        case .financial: (5, 1)
        case .authBootstrap: (100, 20)
        case .resetVerify: (20, 20)
        case .general: (150, 150)
        }
    }
}
