import JSON
import Storage

/// What a token allows.
package enum Scope: String, Sendable, CaseIterable, Hashable {
    case read = "mcp:read"
    case write = "mcp:write"
}

/// Who or what acts; the values of `audit_logs.actor_type`.
package enum ActorType: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case user, system, mcp, webhook
}

/// The road by which a call came in.
package enum Surface: String, Sendable, CaseIterable {
    case mcp, rest, cli, webhook, job, demo
}

/// The one who asks: an administrator's token, or the platform itself.
///
/// An actor is established by a surface before the runner sees the call;
/// nothing in a call's arguments can change it.
package struct Actor: Sendable, Hashable {
    package var type: ActorType
    package var id: String?
    /// The human behind the token; what the audit log names.
    package var email: String?
    /// The token's name, or the source's or job's.
    package var name: String
    package var scopes: Set<Scope>
    package var roles: [String]
    /// What a signed-in person may do.
    package var permissions: Set<Permission> = []
    /// The session that a person's token belongs to.
    package var sessionID: String?

    package init(
        type: ActorType, id: String?, email: String? = nil, name: String, scopes: Set<Scope> = [],
        roles: [String] = []
    ) {
        self.type = type
        self.id = id
        self.email = email
        self.name = name
        self.scopes = scopes
        self.roles = roles
    }

    /// The platform acting on its own: jobs, sealing, migrations.
    package static func system(_ name: String) -> Actor { Actor(type: .system, id: name, name: name) }

    /// A webhook source changing our state.
    package static func webhook(_ source: String) -> Actor { Actor(type: .webhook, id: source, name: source) }

    /// A call that carried no usable credential.
    package static let anonymous = Actor(type: .mcp, id: nil, name: "anonymous")

    /// Somebody who is not signed in and need not be.
    package static let guest = Actor(type: .user, id: nil, name: "guest")

    /// A person of the marketplace who is signed in: not a program's token, and not
    /// whoever sits at the machine's command line.
    package var isPerson: Bool { type == .user && id.flatMap { ULID($0) } != nil }

    /// What per-actor state (rate limit, idempotency, confirmation) is keyed by.
    package var key: String { "\(type.rawValue):\(id ?? name)" }
}

/// The program that speaks for the actor, as it names itself. Never trusted.
package struct ClientInfo: Sendable, Hashable {
    package var name: String
    package var version: String
    package init(name: String, version: String) { (self.name, self.version) = (name, version) }
}
