import JSON
package import Kernel
package import Storage

/// Where an invite stands; worked out of its times, never stored.
package enum InviteStatus: String, Sendable, CaseIterable, Codable, InputEnum {
    case pending, accepted, expired, revoked
}

/// One row of `beta_invites`: the right to join once.
package struct Invite: Sendable, RowDecodable {
    /// What an invite lets its bearer become unless it says otherwise.
    package static let standardRole = "instructor_beta"
    package static let standardDays = 14

    package var id: ULID
    package var code: String
    /// Whom it was made for, in lower case; the code works for anybody who has it.
    package var email: String?
    package var role: String
    package var grantsFounding: Bool
    package var expiresAt: Instant?
    package var usedAt: Instant?
    package var usedBy: ULID?
    package var revokedAt: Instant?
    package var sentAt: Instant?
    package var source: String?
    package var note: String?
    package var createdAt: Instant

    static let columns: SQL = """
        id, code, email, role, grant_founding_status, expires_at, used_at, used_by_user_id, revoked_at, \
        sent_at, source, note, created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        code = try row.get(at: 1)
        email = try row.get(at: 2)
        role = try row.get(at: 3)
        grantsFounding = try row.get(at: 4)
        expiresAt = try row.get(at: 5)
        usedAt = try row.get(at: 6)
        usedBy = try row.get(at: 7)
        revokedAt = try row.get(at: 8)
        sentAt = try row.get(at: 9)
        source = try row.get(at: 10)
        note = try row.get(at: 11)
        createdAt = try row.get(at: 12)
    }

    package var subject: Subject { Subject("invite", id.description) }

    /// It ends at the moment that it names: from then on it is expired.
    package func status(at now: Instant) -> InviteStatus {
        if usedAt != nil { return .accepted }
        if revokedAt != nil { return .revoked }
        return expiresAt.map { $0 <= now } ?? false ? .expired : .pending
    }

    /// The same as ``status(at:)`` for many rows.
    static func condition(_ status: InviteStatus, at now: Instant) -> SQL {
        switch status {
        case .accepted: "used_at IS NOT NULL"
        case .revoked: "used_at IS NULL AND revoked_at IS NOT NULL"
        case .expired: "used_at IS NULL AND revoked_at IS NULL AND expires_at <= \(now)"
        case .pending: "\(open(at: now))"
        }
    }

    /// Of those that can still be used.
    static func open(at now: Instant) -> SQL {
        "used_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > \(now))"
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> Invite? {
        try db.one("SELECT \(columns) FROM beta_invites WHERE id = \(id)")
    }

    package static func find(code: String, _ db: Snapshot) throws -> Invite? {
        try db.one("SELECT \(columns) FROM beta_invites WHERE code = \(InviteCode.normalized(code))")
    }

    /// How many founding places are promised: invites that would grant one and can still be used.
    package static func outstandingFounding(_ db: Snapshot, now: Instant) throws -> Int {
        try db.value(
            "SELECT COUNT(*) FROM beta_invites WHERE grant_founding_status AND \(open(at: now))") ?? 0
    }
}
