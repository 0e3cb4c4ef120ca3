package import Kernel
package import Storage

/// What a list of invites is restricted to.
package struct InviteFilters: Sendable {
    /// A part of the address.
    package var email: String?
    /// The whole address, in any case.
    package var address: String?
    package var status: InviteStatus?
    /// Made at or after, and before.
    package var start, end: Instant?

    package init(
        email: String? = nil, address: String? = nil, status: InviteStatus? = nil, start: Instant? = nil,
        end: Instant? = nil
    ) {
        self.email = email
        self.address = address.map { User.normalized(email: $0) }
        self.status = status
        self.start = start
        self.end = end
    }

    /// One text for cursors.
    package var key: String {
        [
            email ?? "", address ?? "", status?.rawValue ?? "", start?.description ?? "",
            end?.description ?? "",
        ]
        .joined(separator: "\u{1E}")
    }

    func condition(at now: Instant) -> SQL {
        var sql: SQL = "1 = 1"
        if let email { sql += " AND \(SQL.contains("email", email.lowercased()))" }
        if let address { sql += " AND email = \(address)" }
        if let status { sql += " AND \(Invite.condition(status, at: now))" }
        if let start { sql += " AND id >= \(ULID.first(at: start))" }
        if let end { sql += " AND id < \(ULID.first(at: end))" }
        return sql
    }
}

/// A step in the life of an invite.
package struct InviteStep: Sendable, Codable, Hashable {
    package var status: InviteStatus
    package var at: Instant
}

extension Invite {
    /// The newest first, after the last of the page before; one statement.
    package static func page(
        _ filters: InviteFilters, after: ULID?, limit: Int, _ db: Snapshot, now: Instant
    ) throws -> [Invite] {
        var sql: SQL = "SELECT \(columns) FROM beta_invites WHERE \(filters.condition(at: now))"
        if let after { sql += " AND id < \(after)" }
        return try db.all(sql + " ORDER BY id DESC LIMIT \(limit)")
    }

    /// By id or by code.
    package static func find(identifier: String, _ db: Snapshot) throws -> Invite? {
        if let id = ULID(identifier), let invite = try find(id, db) { return invite }
        return try find(code: identifier, db)
    }

    /// Everything it went through until now, in order.
    package func history(at now: Instant) -> [InviteStep] {
        var steps = [InviteStep(status: .pending, at: createdAt)]
        if let usedAt { steps.append(InviteStep(status: .accepted, at: usedAt)) }
        if let revokedAt { steps.append(InviteStep(status: .revoked, at: revokedAt)) }
        if let expiresAt, status(at: now) == .expired {
            steps.append(InviteStep(status: .expired, at: expiresAt))
        }
        return steps
    }
}

/// Counts of the last 24 hours; none goes beyond ``limit``.
package struct InviteCounts: Sendable, Codable {
    package static let limit = 10_000

    package var sent: Int
    package var failed: Int
    /// By phase, of those who came in.
    package var accessByPhase: [String: Int]

    package static func lastDay(_ db: Snapshot, now: Instant) throws -> InviteCounts {
        let start = now - .seconds(86_400)
        let sent: Int? = try db.value(
            """
            SELECT COUNT(*) FROM (
            SELECT 1 FROM beta_invites WHERE sent_at >= \(start) LIMIT \(limit)) AS found
            """)
        let failed: Int? = try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM beta_invite_batch_items WHERE problem IS NOT NULL AND \
            batch_id >= \(ULID.first(at: start)) LIMIT \(limit)) AS found
            """)
        let phases = try db.rows(
            """
            SELECT phase, COUNT(*) FROM (SELECT phase FROM beta_access WHERE id >= \(ULID.first(at: start)) \
            LIMIT \(limit)) AS found GROUP BY phase
            """
        ).map { (try $0.get(at: 0, as: String.self), try $0.get(at: 1, as: Int.self)) }
        return InviteCounts(
            sent: sent ?? 0, failed: failed ?? 0,
            accessByPhase: Dictionary(phases, uniquingKeysWith: { first, _ in first }))
    }
}
