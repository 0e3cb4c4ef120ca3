import JSON
import Kernel
import Storage

// Payment intents, charges, refunds and disputes.
extension StripeEvent {
    func paymentIntent(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        let id = try text("id")
        guard let status = PaymentIntentStatus(rawValue: try text("status")) else {
            throw Failure(
                .invalidInput, "The payment intent has a status that is not known: '\(try text("status"))'.")
        }
        guard let intent = try PaymentIntent.lock(provider: id, tx) else {
            return .unmatched("no payment intent \(id) is known here")
        }
        _ = try intent.advance(to: status, at: created, tx, context)
        // Whatever arrived first, a captured payment confirms its booking.
        if event.eventType == "payment_intent.succeeded" {
            try Booking.lock(intent.bookingID, tx)?.move(to: .confirmed, tx, context)
        }
        return .processed(related: intent.subject)
    }

    /// An event that only has to be findable from its payment.
    func related(_ tx: Transaction) throws -> HandledWebhook {
        .processed(related: try paymentIntent(named: "payment_intent", tx)?.subject)
    }

    func refund(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        guard let refunded = object["amount_refunded"]?.intValue, refunded >= 0 else {
            throw Failure(.invalidInput, "data.object.amount_refunded is missing in \(event.eventType).")
        }
        guard let intent = try paymentIntent(named: "payment_intent", tx) else {
            return .unmatched("the refunded charge belongs to no payment intent known here")
        }
        guard refunded <= intent.amount else {
            throw Failure(
                .conflict,
                "The charge was refunded \(refunded) cents, more than the \(intent.amount) of its payment.")
        }
        try intent.refund(total: refunded, at: created, tx, context)
        return .processed(related: intent.subject)
    }

    func dispute(closed: Bool, _ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        let id = try text("id")
        let status = try text("status")
        let dispute = CardDispute(
            id: id, status: status, amount: object["amount"]?.intValue ?? 0,
            openedAt: object["created"]?.intValue.map(Self.instant) ?? created,
            closedAt: closed ? created : nil)
        guard let intent = try paymentIntent(named: "payment_intent", tx),
            let booking = try Booking.lock(intent.bookingID, tx)
        else { return .unmatched("the dispute \(id) belongs to no payment intent known here") }
        try booking.apply(dispute, tx, context)
        try note(
            closed ? "dispute_closed" : "dispute_opened", booking.id,
            ["dispute_id": .string(id), "status": .string(status), "amount": .int(dispute.amount)], tx,
            context)
        return .processed(related: Subject("booking", booking.id.description))
    }
}
