import JSON
package import Kernel
package import Storage

/// A lesson whose price was captured and is held, because it was moved less than a
/// day before it would have begun (domain specification §2.5).
///
/// The money stays with the old row (`locked`); the new one has none of its own and
/// is settled with it.
package enum LockedLesson {
    /// The row that holds the money of a moved lesson, locked.
    static func holder(of booking: Booking, _ tx: Transaction) throws -> Booking? {
        guard booking.hasLockedFunds, let old = booking.rescheduledFrom else { return nil }
        return try Booking.lock(old, tx)
    }

    /// The lesson that was moved and paid with what an old row held.
    static func successor(of old: Booking, _ tx: Transaction) throws -> Booking? {
        guard let id = old.rescheduledTo, let new = try Booking.lock(id, tx), new.hasLockedFunds else {
            return nil
        }
        return new
    }

    /// What is held is given to whom it belongs, by what became of the new lesson.
    ///
    /// - Parameter outcome: where it is another than the plan's own.
    package static func resolve(
        _ kind: MoneyPlanKind, for booking: Booking, outcome: SettlementOutcome? = nil, _ tx: Transaction,
        _ context: Context
    ) throws {
        guard var old = try holder(of: booking, tx), old.paymentStatus == .locked,
            let payment = try BookingPayment.of(old.id, tx), let price = payment.price
        else {
            throw Failure(
                .conflict, "The price of the lesson that was moved is not held yet, or not any more.",
                hint: "Try again in a minute.", reason: "lock_not_active")
        }
        let steps: [MoneyPlan.Step] =
            switch kind {
            case .lockPayout: [.init(.payout, "lock_resolve_payout_\(old.id)", cents: price.payout)]
            case .lockSplit: [.init(.payout, "lock_resolve_split_\(old.id)", cents: price.halfPayout)]
            case .lockRefund:
                payment.capturedCents > 0
                    ? [.init(.refund, "lock_resolve_refund_\(old.id)", cents: payment.capturedCents)] : []
            default: []
            }
        try MoneyPlan.start(kind, steps, &old, outcome: outcome, tx, context)
    }

    /// The price could not be taken: nothing is held for the new lesson, and somebody looks at it.
    static func activationFailed(_ old: Booking, _ tx: Transaction, _ context: Context) throws {
        try Credit.release(old.id, of: old.studentID, tx, context)
        guard var new = try successor(of: old, tx), new.paymentStatus == .locked else { return }
        try new.pay(.manualReview, tx, context)
        try tx.notify(
            user: new.studentID, category: .lessonUpdates, type: "payment.lock_failed",
            title: "We could not take the payment of your lesson",
            body: "The payment of the lesson that you moved did not succeed. We will contact you.",
            data: ["booking_id": .string(new.id.description)])
    }

    /// The money of an old row ended: so does the payment of the new one, also of one
    /// that a report of a no-show has put under review.
    static func settleSuccessor(
        of old: Booking, _ kind: MoneyPlanKind, _ tx: Transaction, _ context: Context
    ) throws {
        guard [.lockPayout, .lockCredit, .lockSplit, .lockRefund].contains(kind),
            var new = try successor(of: old, tx),
            new.paymentStatus == .locked || new.paymentStatus == .manualReview
        else { return }
        try new.pay(.settled, outcome: old.settlementOutcome, tx, context)
        // It is the new lesson that was held.
        if old.settlementOutcome == .lessonCompletedFullPayout {
            try LessonSettled.hooks(new, tx, context)
        }
    }
}
