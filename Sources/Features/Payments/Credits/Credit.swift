import JSON
package import Kernel
package import Storage

/// Where a credit came from (`platform_credits.source_type`).
package enum CreditSource: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case legacy
    case cancelCredit = "cancel_credit_12_24", cancelSplit = "cancel_credit_lt12"
    case lockedCancelCredit = "locked_cancel_ge12", lockedCancelSplit = "locked_cancel_lt12"
    case milestone5 = "milestone_s5", milestone11 = "milestone_s11"
    case refundReinstate = "refund_reinstate"
    /// What is left of a credit that was used in part.
    case remainder
    case referral

    package var isMilestone: Bool { self == .milestone5 || self == .milestone11 }
}

/// The values of `platform_credits.status`.
package enum CreditStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case available, reserved
    /// Spent on a lesson.
    case forfeited
    case expired, frozen, revoked
}

/// One row of `platform_credits`: money that a student may spend on lessons, never on fees.
///
/// A student's credits change only while their row of `users` is locked.
package struct Credit: Sendable, RowDecodable {
    /// Credits of cancellations lapse after this.
    static let lifetime = Duration.seconds(365 * 86_400)

    package var id: ULID
    package var userID: ULID
    package var cents: Int
    package var source: CreditSource
    package var sourceBookingID: ULID?
    package var status: CreditStatus
    package var expiresAt: Instant?

    static let columns: SQL = "id, user_id, amount_cents, source_type, source_booking_id, status, expires_at"

    package init(row: Row) throws {
        id = try row.get(at: 0)
        userID = try row.get(at: 1)
        cents = try row.get(at: 2)
        source = try row.get(at: 3)
        sourceBookingID = try row.get(at: 4)
        status = try row.get(at: 5)
        expiresAt = try row.get(at: 6)
    }

    /// What a student may spend now.
    package static func available(_ student: ULID, now: Instant, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM platform_credits WHERE user_id = \(student)
            AND status = 'available' AND (expires_at IS NULL OR expires_at > \(now))
            """) ?? 0
    }

    /// Sets credits aside for a lesson, those that lapse first before others; the last
    /// one is split when only a part of it is needed.
    /// - Returns: how many cents, at most `limit`.
    static func reserve(
        _ student: ULID, upTo limit: Int, for booking: ULID, _ tx: Transaction, _ context: Context
    )
        throws -> Int
    {
        guard try User.lock(student, tx)?.isCreditFrozen == false else { return 0 }
        let credits: [Credit] = try tx.all(
            """
            SELECT \(columns) FROM platform_credits WHERE user_id = \(student) AND status = 'available'
            AND (expires_at IS NULL OR expires_at > \(context.now)) AND amount_cents > 0
            ORDER BY COALESCE(expires_at, \(Int64.max)), id \(.forUpdate)
            """)
        var reserved = 0
        for credit in credits where reserved < limit {
            let part = min(credit.cents, limit - reserved)
            if part < credit.cents { try credit.split(off: credit.cents - part, tx, context) }
            try tx.run(
                """
                UPDATE platform_credits SET status = 'reserved', amount_cents = \(part), \
                reserved_amount_cents = \(part), reserved_for_booking_id = \(booking), \
                reserved_at = \(context.now) WHERE id = \(credit.id)
                """)
            reserved += part
        }
        return reserved
    }

    private func split(off rest: Int, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, source_booking_id, \
            split_from_id, expires_at, original_expires_at, status, created_at)
            VALUES (\(context.newID()), \(userID), \(rest), 'Remainder of a credit', 'remainder', \
            \(sourceBookingID), \(id), \(expiresAt), \(expiresAt), 'available', \(context.now))
            """)
    }

    /// Gives back what was set aside for a lesson.
    /// - Returns: how many cents.
    @discardableResult
    static func release(_ booking: ULID, of student: ULID, _ tx: Transaction, _ context: Context) throws
        -> Int
    {
        try end(booking, student, as: .available, ", reserved_for_booking_id = NULL, reserved_at = NULL", tx)
    }

    /// What was set aside for a lesson is set aside for the one in its place.
    static func carry(from old: ULID, to new: ULID, of student: ULID, _ tx: Transaction) throws {
        _ = try User.lock(student, tx)
        try tx.run(
            """
            UPDATE platform_credits SET reserved_for_booking_id = \(new)
            WHERE reserved_for_booking_id = \(old) AND status = 'reserved'
            """)
    }

    /// What was set aside for a lesson is spent.
    @discardableResult
    static func spend(_ booking: ULID, of student: ULID, _ tx: Transaction, _ context: Context) throws -> Int
    {
        try end(
            booking, student, as: .forfeited,
            ", used_booking_id = \(booking), used_at = \(context.now), forfeited_at = \(context.now)", tx)
    }

    private static func end(
        _ booking: ULID, _ student: ULID, as status: CreditStatus, _ columns: SQL, _ tx: Transaction
    ) throws -> Int {
        _ = try User.lock(student, tx)
        let cents: [Int] = try tx.values(
            """
            UPDATE platform_credits SET status = \(status), reserved_amount_cents = 0\(columns)
            WHERE reserved_for_booking_id = \(booking) AND status = 'reserved' RETURNING amount_cents
            """)
        return cents.reduce(0, +)
    }

    /// Gives a credit, once for each source of a booking.
    /// - Returns: whether it is new.
    @discardableResult
    static func issue(
        _ cents: Int, to student: ULID, _ source: CreditSource, of booking: ULID, reason: String,
        _ tx: Transaction, _ context: Context
    ) throws -> Bool {
        guard cents > 0 else { return false }
        let expires: Instant = context.now + lifetime
        let id = context.newID()
        let added = try tx.run(
            """
            INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, source_booking_id, \
            expires_at, original_expires_at, status, created_at)
            VALUES (\(id), \(student), \(cents), \(reason), \(source), \(booking), \(expires), \(expires), \
            'available', \(context.now)) ON CONFLICT DO NOTHING
            """)
        guard added.affected == 1 else { return false }
        try tx.audit(
            "credit.issue", Subject("credit", id.description),
            changes: changes(
                from: [:],
                to: [
                    "amount_cents": .int(cents), "source_type": .string(source.rawValue),
                    "booking_id": .string(booking.description), "user_id": .string(student.description),
                ]))
        return true
    }
}

let creditMigration = Migration("0173_platform_credits") { _ in
    [
        """
        CREATE TABLE platform_credits (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL,
            amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0), reason TEXT NOT NULL,
            source_type TEXT NOT NULL, source_booking_id \(.id), split_from_id \(.id), used_booking_id \(.id),
            reserved_amount_cents BIGINT NOT NULL DEFAULT 0, reserved_for_booking_id \(.id), reserved_at BIGINT,
            expires_at BIGINT, original_expires_at BIGINT, used_at BIGINT, forfeited_at BIGINT,
            revoked_at BIGINT, revoked_reason TEXT, frozen_at BIGINT, frozen_reason TEXT,
            status TEXT NOT NULL CHECK (status IN ('available', 'reserved', 'forfeited', 'expired', 'frozen',
                'revoked')),
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX platform_credits_user ON platform_credits (user_id, status, expires_at)",
        """
        CREATE UNIQUE INDEX platform_credits_source ON platform_credits (source_booking_id, source_type)
        WHERE source_booking_id IS NOT NULL AND split_from_id IS NULL
        """,
        """
        CREATE INDEX platform_credits_reserved ON platform_credits (reserved_for_booking_id)
        WHERE reserved_for_booking_id IS NOT NULL
        """,
        """
        CREATE INDEX platform_credits_used ON platform_credits (used_booking_id) WHERE used_booking_id IS NOT NULL
        """,
        "CREATE INDEX platform_credits_expiry ON platform_credits (expires_at) WHERE status = 'available'",
    ]
}
