import JSON
package import Kernel
package import Storage

/// The values of `instructor_referral_payouts.stripe_transfer_status`.
package enum PayoutStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable,
    SchemaDescribing
{
    case pending, completed, failed
}

/// One row of `instructor_referral_payouts`: what an instructor gets for another one.
package struct InstructorReferralPayout: Sendable, RowDecodable {
    package static let maximumReasonCharacters = 500

    package var id: ULID
    package var referrer: ULID
    package var referredInstructor: ULID
    package var amountCents: Int
    package var isFoundingBonus: Bool
    package var transferID: String?
    package var status: PayoutStatus
    /// Never changes, so that money moves once however often it is tried.
    package var idempotencyKey: String
    package var transferredAt: Instant?
    /// When it failed first; a later attempt does not move it.
    package var failedAt: Instant?
    /// Why it failed, or why it still waits.
    package var reason: String?
    package var createdAt: Instant
    /// Counts the attempts that were refused, from one on.
    package var transferRound: Int

    /// What makes a transfer happen once. After a refusal it is another one, for a
    /// provider answers a key that it knows as it did the first time.
    package var transferKey: String {
        transferRound == 1 ? "instructor_referral_\(id)" : "instructor_referral_\(id)~\(transferRound)"
    }

    static let columns: SQL = """
        id, referrer_user_id, referred_instructor_id, amount_cents, was_founding_bonus, stripe_transfer_id, \
        stripe_transfer_status, idempotency_key, transferred_at, failed_at, failure_reason, created_at, \
        transfer_round
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        referrer = try row.get(at: 1)
        referredInstructor = try row.get(at: 2)
        amountCents = try row.get(at: 3)
        isFoundingBonus = try row.get(at: 4)
        transferID = try row.get(at: 5)
        status = try row.get(at: 6)
        idempotencyKey = try row.get(at: 7)
        transferredAt = try row.get(at: 8)
        failedAt = try row.get(at: 9)
        reason = try row.get(at: 10)
        createdAt = try row.get(at: 11)
        transferRound = try row.get(at: 12)
    }

    package var subject: Subject { Subject("referral_payout", id.description) }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> InstructorReferralPayout? {
        try db.one("SELECT \(columns) FROM instructor_referral_payouts WHERE id = \(id)")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> InstructorReferralPayout? {
        try tx.one("SELECT \(columns) FROM instructor_referral_payouts WHERE id = \(id) \(.forUpdate)")
    }

    /// What one instructor was promised, the newest first.
    package static func list(of referrer: ULID, limit: Int, _ db: Snapshot) throws
        -> [InstructorReferralPayout]
    {
        try db.all(
            """
            SELECT \(columns) FROM instructor_referral_payouts WHERE referrer_user_id = \(referrer)
            ORDER BY id DESC LIMIT \(limit)
            """)
    }
}
