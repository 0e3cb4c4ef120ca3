import JSON
import Kernel
import Storage

// Credits that came of money which went back, or may go back.
extension Credit {
    /// Credits that came of a booking and still can be taken back.
    private static func unspent(_ booking: ULID, _ tx: Transaction) throws -> [Credit] {
        try tx.all(
            """
            SELECT \(columns) FROM platform_credits WHERE source_booking_id = \(booking)
            AND status \(in: ["available", "frozen"]) ORDER BY id \(.forUpdate)
            """)
    }

    /// The lesson was paid back: what came of it is taken back as far as it was not
    /// spent, the credit of a late cancellation like that of a milestone; what was
    /// spent is owed (domain specification §2.5).
    static func takeBack(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        _ = try User.lock(booking.studentID, tx)
        let owed = try spent(issuedFor: booking.id, tx)
        // What the lesson itself was paid with has just come back and stays.
        let taken = try revoke(issuedFor: booking.id, reason: "The lesson was refunded", tx, context) {
            $0 != .refundReinstate
        }
        try Ledger.post(
            [.init(.creditLapsed, taken)], .init(booking), key: "credits_revoked_\(booking.id)", tx, context)
        try owe(owed, booking, tx, context)
    }

    /// How much of what came of a booking was spent, or is set aside for another lesson.
    static func spent(issuedFor booking: ULID, _ db: Snapshot) throws -> Int {
        try db.value(
            """
            SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM platform_credits
            WHERE source_booking_id = \(booking) AND status \(in: ["forfeited", "reserved"])
            """) ?? 0
    }

    /// Nothing of what came of a booking can be spent until ``thaw(_:_:_:)``.
    static func freeze(_ booking: Booking, reason: String, _ tx: Transaction, _ context: Context) throws {
        _ = try User.lock(booking.studentID, tx)
        try tx.run(
            """
            UPDATE platform_credits SET status = 'frozen', frozen_at = \(context.now), frozen_reason = \(reason)
            WHERE source_booking_id = \(booking.id) AND status = 'available'
            """)
    }

    static func thaw(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        _ = try User.lock(booking.studentID, tx)
        try tx.run(
            """
            UPDATE platform_credits SET status = 'available', frozen_at = NULL, frozen_reason = NULL
            WHERE source_booking_id = \(booking.id) AND status = 'frozen'
            """)
    }

    /// Takes back what came of a booking and was not spent.
    /// - Returns: how many cents.
    static func revoke(
        issuedFor booking: ULID, reason: String, _ tx: Transaction, _ context: Context,
        where isMeant: (CreditSource) -> Bool = { _ in true }
    ) throws -> Int {
        var taken = 0
        for credit in try unspent(booking, tx) where isMeant(credit.source) {
            try tx.run(
                """
                UPDATE platform_credits SET status = 'revoked', revoked_at = \(context.now), \
                revoked_reason = \(reason) WHERE id = \(credit.id)
                """)
            try tx.audit(
                "credit.revoke", Subject("credit", credit.id.description),
                changes: changes(
                    from: ["status": .string(credit.status.rawValue)], to: ["status": "revoked"]))
            taken += credit.cents
        }
        return taken
    }

    /// The student owes what they spent of credits that were taken back; below zero
    /// they cannot book.
    static func owe(_ cents: Int, _ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        guard cents > 0 else { return }
        try Ledger.post(
            [.init(.creditOwed, cents)], .init(booking), key: "owed_\(booking.id)", tx, context)
        try changeBalance(-cents, booking, .negativeBalanceApplied, tx, context)
    }

    /// What the student owes for a booking is forgiven.
    static func forgive(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        let totals = try Ledger.totals(booking: booking.id, tx)
        let owed = (totals[.creditOwed] ?? 0) - (totals[.creditOwedCleared] ?? 0)
        guard owed > 0 else { return }
        try Ledger.post(
            [.init(.creditOwedCleared, owed)], .init(booking), key: "owed_cleared_\(booking.id)", tx, context)
        try changeBalance(owed, booking, .negativeBalanceCleared, tx, context)
    }

    private static func changeBalance(
        _ cents: Int, _ booking: Booking, _ event: PaymentEvent, _ tx: Transaction, _ context: Context
    ) throws {
        try tx.run(
            """
            UPDATE users SET credit_balance_cents = credit_balance_cents + \(cents), updated_at = \(context.now)
            WHERE id = \(booking.studentID)
            """)
        try tx.note(
            event, booking.id, source: "balance/\(event.rawValue)", ["amount_cents": .int(abs(cents))])
    }
}
