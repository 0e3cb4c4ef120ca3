import JSON
import Kernel
import Storage

/// Why an administrator refunds.
enum RefundReason: String, Codable, CaseIterable, InputEnum {
    case instructorNoShow = "instructor_no_show"
    case dispute
    case platformError = "platform_error"
    case other

    var outcome: SettlementOutcome {
        switch self {
        case .instructorNoShow: .instructorNoShow
        case .dispute: .disputeLost
        case .platformError, .other: .adminRefund
        }
    }
}

extension Booking {
    /// Gives money back by an administrator's decision (domain specification §2.5).
    ///
    /// Of all of it the booking ends; of a part it stays what it was.
    /// - Parameter amount: in cents; everything when nil.
    /// - Returns: the plan that carries it out, and how much it gives back.
    mutating func refund(
        _ amount: Int?, outcome: SettlementOutcome, _ tx: Transaction, _ context: Context
    ) throws -> (plan: ULID, cents: Int) {
        guard paymentStatus != .locked else {
            throw Failure(
                .conflict, "The payment is held for the lesson that this one was moved to.",
                hint: "Cancel \(rescheduledTo?.description ?? "that lesson") with a refund.",
                reason: "payment_locked")
        }
        let payment = try BookingPayment.of(id, tx)
        guard let payment, payment.intentID != nil else {
            throw Failure(
                .conflict, "Booking has no payment to refund.", hint: moneyElsewhere,
                reason: "no_payment_to_refund")
        }
        guard payment.refundedCents == 0, settlementOutcome?.isRefund != true else {
            throw Failure(.conflict, "Booking already refunded.", reason: "already_refunded")
        }
        try requireNoCardDispute()
        guard payment.capturedAt != nil else {
            throw Failure(
                .conflict, "The payment is not captured yet.",
                hint: "Cancel the booking: that releases the authorization.", reason: "payment_not_captured")
        }
        let cents = amount ?? payment.capturedCents
        guard cents <= payment.capturedCents else {
            var failure = Failure.invalid([
                .init("amount_cents", "must be at most \(payment.capturedCents), what was paid, not \(cents)")
            ])
            failure.reason = "refund_exceeds_payment"
            throw failure
        }
        var steps: [MoneyPlan.Step] = []
        if cents == payment.capturedCents {
            steps = [
                .init(.reverseTopUp, "reverse_top_up_\(id)"),
                .init(.reversePayout, "reverse_payout_\(id)"),
            ]
        }
        steps.append(.init(.refund, "admin_refund_\(id)_\(cents)", cents: cents))
        return (try MoneyPlan.start(.adminRefund, steps, &self, outcome: outcome, tx, context), cents)
    }

    private var moneyElsewhere: String? {
        hasLockedFunds ? "Its price was taken with \(rescheduledFrom?.description ?? "another row")." : nil
    }

    /// Cancels by an administrator's decision. What was not captured is released, whether
    /// or not a refund is asked for: nobody is charged for a lesson that we call off.
    /// - Returns: the refund's plan, when there is something to give back.
    mutating func cancel(
        byAdmin user: ULID, reason: String, refunds: Bool, _ tx: Transaction, _ context: Context
    ) throws -> (plan: ULID, cents: Int)? {
        guard status == .confirmed else {
            throw Failure(
                .conflict, "Only a CONFIRMED booking can be cancelled here; this one is \(status.rawValue).",
                reason: "booking_not_confirmed")
        }
        try MoneyPlan.requireIdle(id, tx)
        try requireNoCardDispute()
        try move(to: .cancelled, by: user, reason: reason, tx, context)
        if paymentStatus == .locked {
            let kind: MoneyPlanKind = refunds ? .lockRefund : .lockCredit
            let holder = rescheduledFrom
            try LockedLesson.resolve(kind, for: self, outcome: refunds ? .adminRefund : nil, tx, context)
            guard refunds, let holder, let plan = try MoneyPlan.latest(holder, tx) else { return nil }
            return (plan.id, try BookingPayment.of(holder, tx)?.capturedCents ?? 0)
        }
        guard let payment = try BookingPayment.of(id, tx) else { return nil }
        guard payment.capturedAt == nil else {
            return refunds ? try refund(nil, outcome: .adminRefund, tx, context) : nil
        }
        try MoneyPlan.start(.studentCancelFree, [.init(.cancel, "cancel_\(id)")], &self, tx, context)
        return nil
    }
}
