import JSON
package import Kernel
package import Storage

/// What a new invite is to be.
package struct NewInvite: Sendable {
    package var email: String?
    package var role = Invite.standardRole
    package var grantsFounding = true
    package var expiresInDays = Invite.standardDays
    package var source: String?
    package var note: String?

    package init(
        email: String? = nil, role: String = Invite.standardRole, grantsFounding: Bool = true,
        expiresInDays: Int = Invite.standardDays, source: String? = nil, note: String? = nil
    ) {
        self.email = email?.lowercased()
        self.role = role
        self.grantsFounding = grantsFounding
        self.expiresInDays = expiresInDays
        self.source = source
        self.note = note
    }
}

extension Invite {
    /// How often codes are drawn again that are taken. One in millions is.
    static let draws = 20

    /// Makes invites, each with a code of its own, and audits them.
    ///
    /// A code that is taken is drawn again. Makes sure that no more founding places
    /// are promised than there are.
    ///
    /// - Parameter draw: where codes come from; the system's generator except in tests.
    /// - Throws: ``Kernel/Failure/Code/conflict``, `founding_cap_exceeded`, when places run out.
    package static func create(
        _ wanted: [NewInvite], _ tx: Transaction, _ context: Context,
        draw: () -> String = { InviteCode.random() }
    ) throws -> [Invite] {
        try FoundingPlaces.reserve(wanted.count { $0.grantsFounding }, tx, context)
        var waiting = wanted
        var made: [Invite] = []
        for _ in 0..<draws where !waiting.isEmpty {
            let rows = waiting.map { row($0, code: draw(), context) }
            var byCode: [String: Invite] = [:]
            for statement in SQL.inserts(
                "INSERT INTO beta_invites (\(columns)) VALUES", rows.map(\.sql),
                " ON CONFLICT (code) DO NOTHING RETURNING \(columns)")
            {
                for row in try tx.run(statement) {
                    let invite = try Invite(row: row)
                    byCode[invite.id.description] = invite
                }
            }
            made += rows.compactMap { byCode[$0.id.description] }
            waiting = zip(waiting, rows).filter { byCode[$1.id.description] == nil }.map(\.0)
        }
        guard waiting.isEmpty else {
            throw Failure(.internal, "No free invite code was found in \(draws) draws.")
        }
        for invite in made { try invite.audit("invite.create", tx) }
        return made
    }

    private static func row(_ new: NewInvite, code: String, _ context: Context) -> (id: ULID, sql: SQL) {
        let (id, now) = (context.newID(), context.now)
        let none: Instant? = nil
        let nobody: ULID? = nil
        return (
            id,
            """
            (\(id), \(code), \(new.email), \(new.role), \(new.grantsFounding), \
            \(now + .seconds(new.expiresInDays * 86_400)), \(none), \(nobody), \(none), \(none), \
            \(new.source), \(new.note), \(now))
            """
        )
    }

    /// The code stays out of the log: whoever has it can join.
    func audit(_ action: String, _ tx: Transaction) throws {
        try tx.audit(
            action, subject,
            changes: changes(
                from: [:],
                to: [
                    "role": .string(role), "grants_founding": .bool(grantsFounding),
                    "expires_at": expiresAt.map { .string($0.description) } ?? .null,
                ]))
    }

    /// Takes an invite back that nobody used.
    /// - Throws: ``Kernel/Failure/Code/conflict`` when it was used.
    package func revoke(_ tx: Transaction, _ context: Context) throws {
        let changed = try tx.run(
            """
            UPDATE beta_invites SET revoked_at = \(context.now)
            WHERE id = \(id) AND used_at IS NULL AND revoked_at IS NULL
            """
        ).affected
        guard changed == 1 else {
            throw Failure(
                .conflict, "The invite is \(status(at: context.now).rawValue) and cannot be taken back.",
                reason: "invite_not_pending")
        }
        try tx.audit(
            "invite.revoke", subject, changes: changes(from: ["status": "pending"], to: ["status": "revoked"])
        )
    }
}
