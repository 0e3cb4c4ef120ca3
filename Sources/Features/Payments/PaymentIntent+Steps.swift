import Kernel
import Storage

// What our own calls to the provider leave in `payment_intents`; its webhooks tell the same later.
extension PaymentIntent {
    /// The payment that a call made.
    static func store(
        _ object: PaymentObject, _ price: LessonPrice, _ booking: Booking, _ tx: Transaction,
        _ context: Context
    ) throws {
        let status = object.status.flatMap { PaymentIntentStatus(rawValue: $0) } ?? .requiresCapture
        try tx.run(
            """
            INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, application_fee, status, \
            status_at, base_price_cents, instructor_tier_pct, instructor_payout_cents, created_at, updated_at)
            VALUES (\(context.newID()), \(booking.id), \(object.id), \(price.studentPay), \
            \(price.applicationFee), \(status), \(object.created ?? context.now), \(price.base), \
            \(price.commission.fraction), \(price.payout), \(context.now), \(context.now))
            ON CONFLICT (stripe_payment_intent_id) DO NOTHING
            """)
    }

    /// Takes over a state that our own call brought about; it is audited as the step of the payment.
    static func take(
        _ status: PaymentIntentStatus, _ provider: String?, _ tx: Transaction, _ context: Context
    ) throws {
        guard let provider, let intent = try lock(provider: provider, tx), intent.status.rank < status.rank
        else { return }
        try tx.run(
            """
            UPDATE payment_intents SET status = \(status), status_at = \(context.now), \
            updated_at = \(context.now) WHERE id = \(intent.id)
            """)
    }

    /// Takes over how much our own refunds gave back.
    static func refunded(_ provider: String?, total: Int, _ tx: Transaction, _ context: Context) throws {
        guard let provider, let intent = try lock(provider: provider, tx), total > intent.amountRefunded
        else { return }
        let status: PaymentIntentStatus = total >= intent.amount ? .refunded : .partiallyRefunded
        try tx.run(
            """
            UPDATE payment_intents SET status = \(status), status_at = \(context.now), \
            amount_refunded = \(total), updated_at = \(context.now) WHERE id = \(intent.id)
            """)
    }
}
