import JSON
package import Kernel
package import Storage

/// One row of `booking_payments`: what the payment of a lesson knows.
///
/// Read and written while the booking's row is locked.
package struct BookingPayment: Sendable, RowDecodable {
    package var bookingID: ULID
    /// The provider's id of the card.
    package var methodID: String?
    /// The provider's id of the payment.
    package var intentID: String?
    /// Paid for at once, however far away the lesson is.
    package var isImmediate: Bool
    package var authScheduledFor: Instant?
    package var authAttemptedAt: Instant?
    package var authSucceededAt: Instant?
    package var authFailureCount: Int
    /// As it was fixed when the payment was authorized.
    package var price: LessonPrice?
    package var creditsReserved: Int
    package var capturedAt: Instant?
    package var capturedCents: Int
    /// The transfer that the capture made, and how much of all transfers has not come back.
    package var transferID: String?
    package var transferredCents: Int
    package var topUpTransferID: String?
    package var payoutTransferID: String?
    package var refundedCents: Int
    package var failedStep: MoneyStepKind?
    package var stepFailedAt: Instant?
    package var stepFailedFirstAt: Instant?
    package var stepFailures: Int
    package var lockedAt: Instant?
    package var lockedCents: Int?
    package var lockResolvedAt: Instant?

    static let columns: SQL = """
        p.booking_id, p.payment_method_id, p.payment_intent_id, p.is_immediate, p.auth_scheduled_for, \
        p.auth_attempted_at, p.auth_succeeded_at, p.auth_failure_count, p.base_cents, p.student_fee_cents, \
        p.instructor_fee_cents, p.credit_cents, p.commission_pct, p.credits_reserved_cents, p.captured_at, \
        p.captured_cents, p.transfer_id, p.transferred_cents, p.top_up_transfer_id, p.payout_transfer_id, \
        p.refunded_cents, p.failed_step, p.step_failed_at, p.step_failed_first_at, p.step_failures, \
        p.locked_at, p.locked_cents, p.lock_resolved_at
        """

    package init(row: Row) throws {
        bookingID = try row.get(at: 0)
        methodID = try row.get(at: 1)
        intentID = try row.get(at: 2)
        isImmediate = try row.get(at: 3)
        authScheduledFor = try row.get(at: 4)
        authAttemptedAt = try row.get(at: 5)
        authSucceededAt = try row.get(at: 6)
        authFailureCount = try row.get(at: 7)
        if let base: Int = try row.get(at: 8) {
            price = LessonPrice(
                base: base, studentFee: try row.get(at: 9), instructorFee: try row.get(at: 10),
                credit: try row.get(at: 11), commission: Rate(percent: try row.get(at: 12)))
        }
        creditsReserved = try row.get(at: 13)
        capturedAt = try row.get(at: 14)
        capturedCents = try row.get(at: 15)
        transferID = try row.get(at: 16)
        transferredCents = try row.get(at: 17)
        topUpTransferID = try row.get(at: 18)
        payoutTransferID = try row.get(at: 19)
        refundedCents = try row.get(at: 20)
        failedStep = try row.get(at: 21)
        stepFailedAt = try row.get(at: 22)
        stepFailedFirstAt = try row.get(at: 23)
        stepFailures = try row.get(at: 24)
        lockedAt = try row.get(at: 25)
        lockedCents = try row.get(at: 26)
        lockResolvedAt = try row.get(at: 27)
    }

    /// Of a booking whose row is locked.
    package static func of(_ booking: ULID, _ db: Snapshot) throws -> BookingPayment? {
        try db.one("SELECT \(columns) FROM booking_payments p WHERE p.booking_id = \(booking)")
    }

    /// The first row of a new booking.
    package static func create(_ booking: ULID, setupIntent: String?, _ tx: Transaction, _ context: Context)
        throws
    {
        try tx.run(
            """
            INSERT INTO booking_payments (booking_id, setup_intent_id, updated_at)
            VALUES (\(booking), \(setupIntent), \(context.now))
            """)
    }

    /// Writes some columns: `SET` clauses without the keyword.
    func write(_ columns: SQL, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE booking_payments SET \(columns), updated_at = \(context.now)
            WHERE booking_id = \(bookingID)
            """)
    }
}

extension Booking {
    /// The only writer of `payment_status` and `settlement_outcome`: checks the
    /// transition (domain specification §2.2) and audits it.
    package mutating func pay(
        _ next: PaymentStatus, outcome: SettlementOutcome? = nil, _ tx: Transaction, _ context: Context
    ) throws {
        guard paymentStatus != next || settlementOutcome != outcome else { return }
        guard paymentStatus?.canBecome(next) ?? true else {
            throw Failure(
                .conflict,
                "A payment that is \(paymentStatus?.rawValue ?? "none") cannot become \(next.rawValue).",
                reason: "payment_status_conflict")
        }
        try tx.run(
            """
            UPDATE bookings SET payment_status = \(next), settlement_outcome = \(outcome), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        if next == .settled {
            try tx.run("UPDATE booking_payments SET settled_at = \(context.now) WHERE booking_id = \(id)")
        }
        let old: JSONObject = [
            "payment_status": paymentStatus.map { .string($0.rawValue) } ?? .null,
            "settlement_outcome": settlementOutcome.map { .string($0.rawValue) } ?? .null,
        ]
        (paymentStatus, settlementOutcome, updatedAt) = (next, outcome, context.now)
        try tx.audit(
            "payment.status_change", subject,
            changes: changes(
                from: old,
                to: [
                    "payment_status": .string(next.rawValue),
                    "settlement_outcome": outcome.map { .string($0.rawValue) } ?? .null,
                ]))
    }
}
