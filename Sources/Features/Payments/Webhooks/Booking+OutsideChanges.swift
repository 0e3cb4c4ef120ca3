import JSON
import Kernel
import Storage

// What happened to a booking's money that no plan of ours did.
extension Booking {
    /// The provider gave an authorization up. A lesson to come has to be authorized
    /// anew; one that has begun is left to its capture, which finds out and replaces it.
    mutating func loseAuthorization(of intent: PaymentIntent, _ tx: Transaction, _ context: Context) throws {
        guard paymentStatus == .authorized, status == .confirmed, start > context.now,
            try MoneyPlan.running(id, tx) == nil, let payment = try BookingPayment.of(id, tx),
            payment.intentID == intent.providerID
        else { return }
        try authorizationExpired(payment, source: intent.providerID, tx, context)
    }

    /// Money that somebody gave back at the provider itself: the platform's expense, for
    /// nothing is taken from the instructor. Of all that was charged, the lesson is
    /// refunded.
    ///
    /// - Returns: false when this payment was not charged by a plan of ours.
    mutating func refundedOutside(
        _ intent: PaymentIntent, total: Int, _ tx: Transaction, _ context: Context
    ) throws -> Bool {
        guard let payment = try BookingPayment.of(id, tx), payment.intentID == intent.providerID,
            total <= payment.capturedCents, let price = payment.price
        else { return false }
        let part = total - payment.refundedCents
        guard part > 0 else { return true }
        let isFull = total == payment.capturedCents
        let credit = isFull ? price.credit : 0
        try Ledger.post(
            [
                .init(.cardRefund, part), .init(.refundOfFee, part + credit),
                .init(.creditReinstated, credit),
            ], .init(self), key: "outside_refund_\(intent.providerID)_\(total)", reference: intent.providerID,
            tx, context)
        try Credit.issue(
            credit, to: studentID, .refundReinstate, of: id, reason: "Credits of a refunded lesson", tx,
            context)
        try payment.write("refunded_cents = \(total)", tx, context)
        try PaymentIntent.refunded(intent.providerID, total: total, tx, context)
        try tx.note(.outsideRefund, id, source: "\(intent.providerID)/\(total)", ["amount_cents": .int(part)])
        if isFull { try endOutsideRefund(tx, context) }
        return true
    }

    private mutating func endOutsideRefund(_ tx: Transaction, _ context: Context) throws {
        try LessonSettled.undo(self, tx, context)
        switch paymentStatus {
        case .settled: try pay(.settled, outcome: .adminRefund, tx, context)
        // The price is held for another lesson and is gone: somebody has to look.
        case .locked: try pay(.manualReview, tx, context)
        default: break
        }
    }
}
