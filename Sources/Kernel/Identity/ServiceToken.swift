import JSON
package import Storage

/// A credential for programs: named, owned by a person, scoped, expiring, revocable.
///
/// The text is `itk_<id>_<secret>`; the secret has 256 random bits and only
/// its SHA-256 is stored. It is shown once, when it is made.
package struct ServiceToken: Sendable, RowDecodable {
    package static let maximumLifetime = Duration.seconds(366 * 86_400)

    package var id: ULID
    package var name: String
    /// The person who answers for what is done with it.
    package var owner: String
    package var scopes: [Scope]
    package var createdAt: Instant
    package var expiresAt: Instant
    package var revokedAt: Instant?
    let tokenHash: String

    package init(row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        owner = try row["owner"]
        scopes = try (row["scopes"] as String).split(separator: " ").compactMap {
            Scope(rawValue: String($0))
        }
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
        revokedAt = try row["revoked_at"]
        tokenHash = try row["token_hash"]
    }

    package var actor: Actor {
        Actor(type: .mcp, id: id.description, email: owner, name: name, scopes: Set(scopes), roles: ["admin"])
    }

    /// The state a list shows.
    package func state(at now: Instant) -> String {
        revokedAt != nil ? "revoked" : expiresAt <= now ? "expired" : "active"
    }

    /// Makes and stores a token; the returned text is never seen again.
    package static func create(
        name: String, owner: String, scopes: [Scope], lifetime: Duration, _ tx: Transaction,
        _ context: Context
    ) throws -> (token: String, id: ULID) {
        guard !name.isEmpty, name.count <= 100, !scopes.isEmpty, lifetime > .zero, lifetime <= maximumLifetime
        else {
            throw Failure(
                .invalidInput,
                "A token needs a name of 1 to 100 characters, a scope and a lifetime of at most 366 days.")
        }
        let id = context.newID()
        let token = "itk_\(id)_\(Secrets.random(bytes: 32))"
        let scopeText = scopes.map(\.rawValue).joined(separator: " ")
        try tx.run(
            """
            INSERT INTO service_tokens (id, name, owner, token_hash, scopes, created_at, expires_at)
            VALUES (\(id), \(name), \(owner), \(Secrets.hash(token)), \(scopeText), \(context.now), \
            \(context.now + lifetime))
            """)
        try tx.audit(
            "token.create", Subject("token", id.description), description: "Service token \(name) created",
            metadata: ["name": .string(name), "owner": .string(owner), "scopes": .string(scopeText)])
        return (token, id)
    }

    /// Ends a token now; revoking a revoked one changes nothing.
    package static func revoke(_ id: ULID, _ tx: Transaction, _ context: Context) throws {
        let changed = try tx.run(
            "UPDATE service_tokens SET revoked_at = \(context.now) WHERE id = \(id) AND revoked_at IS NULL"
        ).affected
        if changed > 0 {
            try tx.audit(
                "token.revoke", Subject("token", id.description), description: "Service token revoked")
        } else if try find(id, tx) == nil {
            throw Failure(
                .notFound, "There is no token with the id \(id).", hint: "instainstru token list shows them.")
        }
    }

    package static func all(_ db: Snapshot) throws -> [ServiceToken] {
        try db.all("SELECT * FROM service_tokens ORDER BY id")
    }

    static func find(_ id: ULID, _ db: Snapshot) throws -> ServiceToken? {
        try db.one("SELECT * FROM service_tokens WHERE id = \(id)")
    }
}
