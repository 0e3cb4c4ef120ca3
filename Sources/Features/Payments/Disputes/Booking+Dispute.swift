import JSON
import Kernel
import Storage

// What a card dispute does to a booking, its money and its student (domain specification §2.5).
extension Booking {
    /// Takes over a card dispute unless a later one is known. While it is open
    /// nothing automatic touches the payment any more.
    ///
    /// Its end may be told before its beginning: then both are applied at once, and
    /// the beginning changes nothing when it comes.
    mutating func apply(_ dispute: CardDispute, _ tx: Transaction, _ context: Context) throws {
        if let disputeID, let disputeCreatedAt,
            !CardDispute.isLater(dispute, than: (disputeID, disputeCreatedAt, disputeResolvedAt))
        {
            return
        }
        // Its transfer is being taken back or something else is going on: the event comes again.
        try MoneyPlan.requireIdle(id, tx)
        let old = recordedDispute
        let isNew = disputeID != dispute.id
        try dispute.store(id, tx, context)
        (disputeID, disputeStatus) = (dispute.id, dispute.status)
        (disputeCreatedAt, disputeResolvedAt) = (dispute.openedAt, dispute.closedAt)
        try tx.audit("payment.dispute", subject, changes: changes(from: old, to: recordedDispute))
        if isNew { try open(dispute, tx, context) }
        switch dispute.outcome {
        case .disputeWon?: try win(dispute, tx, context)
        case .some: try lose(dispute, tx, context)
        case nil: break
        }
    }

    private var recordedDispute: JSONObject {
        [
            "dispute_id": disputeID.map { .string($0) } ?? .null,
            "dispute_status": disputeStatus.map { .string($0) } ?? .null,
        ]
    }

    private mutating func open(_ dispute: CardDispute, _ tx: Transaction, _ context: Context) throws {
        try Ledger.post(
            [.init(.disputeWithdrawal, dispute.amount)], .init(self), key: "dispute_\(dispute.id)",
            reference: dispute.id, tx, context)
        let spent = try Credit.spent(issuedFor: id, tx)
        try Credit.freeze(self, reason: "A dispute is open", tx, context)
        try Credit.owe(spent, self, tx, context)
        try tx.run(
            "UPDATE users SET credit_balance_frozen = TRUE, updated_at = \(context.now) WHERE id = \(studentID)"
        )
        try pay(.manualReview, outcome: settlementOutcome, tx, context)
        if dispute.closedAt == nil { try takeBack(dispute.amount, of: dispute, tx, context) }
    }

    /// What the instructor got, but no more than `most`.
    private mutating func takeBack(
        _ most: Int, of dispute: CardDispute, _ tx: Transaction, _ context: Context
    ) throws {
        guard let payment = try BookingPayment.of(id, tx), min(payment.transferredCents, most) > 0
        else { return }
        if payment.payoutTransferID != nil {
            let cents = min(payment.transferredCents, most)
            try MoneyPlan.start(
                .disputeReverse, [.init(.reversePayout, "dispute_reverse_\(dispute.id)", cents: cents)],
                &self, tx,
                context)
            return
        }
        // Of what the platform added, what the transfer does not cover.
        let added = payment.topUpTransferID == nil ? 0 : payment.price?.topUp ?? 0
        let ofTransfer = min(payment.transferredCents - added, most)
        let ofTopUp = min(added, most - ofTransfer)
        let steps: [MoneyPlan.Step] = [
            .init(.reverseTopUp, "dispute_reverse_top_up_\(dispute.id)", cents: ofTopUp),
            .init(.reverse, "dispute_reverse_\(dispute.id)", cents: ofTransfer),
        ]
        try MoneyPlan.start(.disputeReverse, steps.filter { $0.cents ?? 0 > 0 }, &self, tx, context)
    }

    /// The bank gave the money back: everything is as it was, and the instructor is paid again.
    private mutating func win(_ dispute: CardDispute, _ tx: Transaction, _ context: Context) throws {
        try Ledger.post(
            [.init(.disputeReturn, dispute.amount)], .init(self), key: "dispute_won_\(dispute.id)",
            reference: dispute.id, tx, context)
        try Credit.thaw(self, tx, context)
        try Credit.forgive(self, tx, context)
        try unfreeze(tx, context)
        let owed = -(try Ledger.balances(booking: id, tx)[.instructorPayable] ?? 0)
        try MoneyPlan.start(
            .disputeRestore,
            owed > 0 ? [.init(.payout, "dispute_payout_\(dispute.id)", cents: owed)] : [], &self, tx, context)
    }

    /// The bank keeps the money.
    private mutating func lose(_ dispute: CardDispute, _ tx: Transaction, _ context: Context) throws {
        let revoked = try Credit.revoke(issuedFor: id, reason: "A dispute was lost", tx, context)
        let owed = max(-(try Ledger.balances(booking: id, tx)[.instructorPayable] ?? 0), 0)
        // Told of its end alone, nothing was taken back yet; it will be.
        let paid = try BookingPayment.of(id, tx)?.transferredCents ?? 0
        let rest = min(paid, max(dispute.amount - owed, 0))
        let share = min(owed + rest, dispute.amount)
        try Ledger.post(
            [
                .init(.disputeOfShare, share), .init(.disputeOfFee, dispute.amount - share),
                .init(.creditLapsed, revoked),
            ], .init(self), key: "dispute_lost_\(dispute.id)", reference: dispute.id, tx, context)
        try tx.run(
            """
            UPDATE users SET account_restricted = TRUE, account_restricted_at = \(context.now), \
            account_restricted_reason = 'A card dispute was lost', updated_at = \(context.now)
            WHERE id = \(studentID)
            """)
        try tx.audit(
            "user.restrict", Subject("user", studentID.description),
            changes: ["account_restricted": ["old": false, "new": true]])
        try unfreeze(tx, context)
        try pay(.settled, outcome: .disputeLost, tx, context)
        try takeBack(rest, of: dispute, tx, context)
    }

    /// Unless another dispute of the student is open.
    private func unfreeze(_ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE users SET credit_balance_frozen = FALSE, updated_at = \(context.now) WHERE id = \(studentID)
            AND NOT EXISTS (SELECT 1 FROM card_disputes d JOIN bookings b ON b.id = d.booking_id
                WHERE b.student_id = \(studentID) AND d.closed_at IS NULL)
            """)
    }
}

extension CardDispute {
    /// Writes it into `card_disputes` and onto its booking.
    func store(_ booking: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            INSERT INTO card_disputes (id, booking_id, amount_cents, status, opened_at, closed_at, updated_at)
            VALUES (\(id), \(booking), \(amount), \(status), \(openedAt), \(closedAt), \(context.now))
            ON CONFLICT (id) DO UPDATE SET status = excluded.status, closed_at = excluded.closed_at, \
            updated_at = excluded.updated_at
            """)
        try tx.run(
            """
            UPDATE bookings SET dispute_id = \(id), dispute_status = \(status), dispute_amount = \(amount), \
            dispute_created_at = \(openedAt), dispute_resolved_at = \(closedAt), updated_at = \(context.now)
            WHERE id = \(booking)
            """)
    }
}

let cardDisputeMigration = Migration("0175_card_disputes") { _ in
    [
        """
        CREATE TABLE card_disputes (
            id TEXT PRIMARY KEY, booking_id \(.id) NOT NULL REFERENCES bookings (id), amount_cents BIGINT NOT NULL,
            status TEXT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT, updated_at BIGINT NOT NULL)
        """,
        "CREATE INDEX card_disputes_booking ON card_disputes (booking_id)",
        "CREATE INDEX card_disputes_open ON card_disputes (opened_at) WHERE closed_at IS NULL",
    ]
}
