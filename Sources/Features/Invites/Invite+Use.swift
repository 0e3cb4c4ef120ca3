import JSON
package import Kernel
package import Storage

/// Why a code does not let anybody in; the words of the public answer.
package enum InviteRefusal: String, Sendable, CaseIterable, Codable, SchemaDescribing {
    case notFound = "not_found"
    case expired, used
}

extension Invite {
    /// Why the code cannot be used; nil when it can. One that was taken back is as one that never was.
    package static func refusal(code: String, _ db: Snapshot, now: Instant) throws -> InviteRefusal? {
        refusal(of: try find(code: code, db), at: now)
    }

    static func refusal(of invite: Invite?, at now: Instant) -> InviteRefusal? {
        switch invite?.status(at: now) {
        case .pending: nil
        case .accepted: .used
        case .expired: .expired
        case .revoked, nil: .notFound
        }
    }

    /// Uses up an invite for a new user, in the transaction that makes them.
    ///
    /// Of any number that use one code at the same time one succeeds; the others'
    /// transactions end, and leave no user behind. Gives access to the present phase,
    /// and a founding place to an instructor whose invite promises one.
    ///
    /// - Parameters:
    ///   - email: the address of the user, compared with the one invited for the audit log only.
    ///   - role: what the user became, e.g. `instructor`.
    /// - Throws: ``Kernel/Failure/Code/conflict`` or `notFound`, with the reason
    ///   `invite_not_found`, `invite_expired` or `invite_used`.
    @discardableResult
    package static func consume(
        code: String, email: String, user: ULID, role: String, _ tx: Transaction, _ context: Context
    ) throws -> Invite {
        let taken: Invite? = try tx.one(
            """
            UPDATE beta_invites SET used_at = \(context.now), used_by_user_id = \(user)
            WHERE code = \(InviteCode.normalized(code)) AND \(open(at: context.now)) RETURNING \(columns)
            """)
        guard let invite = taken else { throw try unusable(code, tx, context) }
        let phase = try BetaSettings.current(tx).betaPhase
        try tx.run(
            """
            INSERT INTO beta_access (id, user_id, role, invited_by_code, granted_at, phase)
            VALUES (\(context.newID()), \(user), \(invite.role), \(invite.code), \(context.now), \(phase))
            ON CONFLICT (user_id, role, phase) DO NOTHING
            """)
        var isFounding = false
        if invite.grantsFounding, role == "instructor" {
            isFounding = try Founding.grant(user, tx, context)
        }
        try tx.audit(
            "invite.consume", invite.subject,
            changes: changes(from: ["status": "pending"], to: ["status": "accepted"]),
            metadata: [
                "user_id": .string(user.description), "is_founding": .bool(isFounding),
                "is_other_address": .bool(invite.email.map { $0 != email.lowercased() } ?? false),
            ])
        return invite
    }

    private static func unusable(_ code: String, _ tx: Transaction, _ context: Context) throws -> Failure {
        switch try refusal(code: code, tx, now: context.now) {
        case .notFound?:
            Failure(
                .notFound, "There is no such invite.", hint: "Check the code; it has 8 characters.",
                reason: "invite_not_found")
        case .expired?:
            Failure(
                .conflict, "The invite has expired.", hint: "Ask for a new one.", reason: "invite_expired")
        // It was free again when looked at: somebody had it and was undone.
        case .used?, nil:
            Failure(.conflict, "The invite was used already.", reason: "invite_used")
        }
    }
}

/// One row of `beta_access`: what an invite gave a user.
package struct BetaAccess: Sendable, RowDecodable {
    package var role: String
    package var phase: String
    package var code: String?
    package var grantedAt: Instant

    package init(row: Row) throws {
        role = try row.get(at: 0)
        phase = try row.get(at: 1)
        code = try row.get(at: 2)
        grantedAt = try row.get(at: 3)
    }

    /// Everything a user was given, the latest first.
    package static func of(_ user: ULID, _ db: Snapshot) throws -> [BetaAccess] {
        try db.all(
            """
            SELECT role, phase, invited_by_code, granted_at FROM beta_access
            WHERE user_id = \(user) ORDER BY id DESC LIMIT 20
            """)
    }
}
