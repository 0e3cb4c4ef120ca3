import JSON
import Kernel
import Storage

// Payment intents, charges, refunds, disputes and transfers.
extension StripeEvent {
    func paymentIntent(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        let id = try text("id")
        guard let status = PaymentIntentStatus(rawValue: try text("status")) else {
            throw Failure(
                .invalidInput, "The payment intent has a status that is not known: '\(try text("status"))'.")
        }
        guard let (intent, found) = try payment(id, tx) else {
            return try unknown("no payment intent \(id) is known here", tx)
        }
        var booking = found
        let isNews = try intent.advance(to: status, at: created, tx, context)
        // Whatever arrived first, a captured payment confirms its booking.
        if event.eventType == "payment_intent.succeeded" { try booking.confirm(tx, context) }
        if isNews, [.requiresPaymentMethod, .canceled].contains(status) {
            try booking.loseAuthorization(of: intent, tx, context)
        }
        return .processed(related: intent.subject)
    }

    /// An event that only has to be findable from its payment.
    func related(_ tx: Transaction) throws -> HandledWebhook {
        .processed(related: try payment(tx)?.intent.subject)
    }

    func refund(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        guard let refunded = object["amount_refunded"]?.intValue, refunded >= 0 else {
            throw Failure(.invalidInput, "data.object.amount_refunded is missing in \(event.eventType).")
        }
        guard let (intent, found) = try payment(tx) else {
            return try unknown("the refunded charge belongs to no payment intent known here", tx)
        }
        guard refunded <= intent.amount else {
            throw Failure(
                .conflict,
                "The charge was refunded \(refunded) cents, more than the \(intent.amount) of its payment.")
        }
        // What is going on may be this refund: then the event comes again, and is no news.
        try MoneyPlan.requireIdle(found.id, tx)
        var booking = found
        if try !booking.refundedOutside(intent, total: refunded, tx, context) {
            try intent.refund(total: refunded, at: created, tx, context)
        }
        return .processed(related: intent.subject)
    }

    func dispute(closed: Bool, _ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        let id = try text("id")
        let status = try text("status")
        let dispute = CardDispute(
            id: id, status: status, amount: object["amount"]?.intValue ?? 0,
            openedAt: object["created"]?.intValue.map(Self.instant) ?? created,
            closedAt: closed ? created : nil)
        guard let (_, found) = try payment(tx) else {
            return try unknown("the dispute \(id) belongs to no payment intent known here", tx)
        }
        var booking = found
        try booking.apply(dispute, tx, context)
        try tx.note(
            closed ? .disputeClosed : .disputeOpened, booking.id,
            source: body["id"]?.stringValue ?? event.id.description,
            ["dispute_id": .string(id), "status": .string(status), "amount": .int(dispute.amount)])
        return .processed(related: booking.subject)
    }

    /// Transfers are moved by our own calls; an event is only recorded with what it was for.
    func transfer(_ tx: Transaction) throws -> HandledWebhook {
        let group = object["transfer_group"]?.stringValue ?? ""
        if group.hasPrefix("booking:"), let id = ULID(String(group.dropFirst("booking:".count))),
            let booking = try Booking.find(id, tx)
        {
            return .processed(related: booking.subject)
        }
        let payout = object["metadata"]?["referral_payout_id"]?.stringValue.flatMap { ULID($0) }
        if let payout, let found = try InstructorReferralPayout.find(payout, tx) {
            return .processed(related: found.subject)
        }
        guard let account = object["destination"]?.stringValue else { return .processed(related: nil) }
        return .processed(related: try ConnectedAccount.find(stripe: account, tx)?.subject)
    }
}
