import JSON
import Kernel
import Storage

// What a plan's end means for the booking, kind by kind.
extension MoneyPlan {
    /// All calls are done.
    func end(_ booking: inout Booking, _ tx: Transaction, _ context: Context) throws {
        try close(.done, tx, context)
        guard let payment = try BookingPayment.of(booking.id, tx) else { return }
        let price = payment.price
        func settle(_ outcome: SettlementOutcome, payout: Int? = nil) throws {
            try payment.write("instructor_payout_cents = \(payout ?? 0), failed_step = NULL", tx, context)
            try booking.pay(.settled, outcome: self.outcome ?? outcome, tx, context)
        }
        switch kind {
        case .authorize:
            let event: PaymentEvent =
                payment.intentID == nil
                ? .authSucceededCreditsOnly
                : payment.authFailureCount > 0 ? .authRetrySucceeded : .authSucceeded
            try payment.write("auth_succeeded_at = \(context.now), auth_scheduled_for = NULL", tx, context)
            try booking.pay(.authorized, tx, context)
            try tx.note(
                event, booking.id, source: id.description, ["amount_cents": .int(price?.studentPay ?? 0)])
            if booking.status == .pending { try booking.confirmPaid(tx, context) }
        case .capture, .recapture:
            try settle(.lessonCompletedFullPayout, payout: price?.payout)
            try LessonSettled.hooks(booking, tx, context)
        case .studentNoShow: try settle(.studentNoShow, payout: price?.payout)
        case .studentCancelFree: try free(.studentCancelFree, &booking, payment, tx, context)
        case .instructorCancel: try free(.instructorCancel, &booking, payment, tx, context)
        case .instructorNoShow: try free(.instructorNoShow, &booking, payment, tx, context)
        case .studentCancelCredit:
            let source: PaymentEvent =
                booking.isGaming ? .creditCreatedGamingCancel : .creditCreatedLateCancel
            try credit(price?.base ?? 0, .cancelCredit, source, booking, payment, tx, context)
            try settle(.studentCancelCredit)
        case .studentCancelSplit:
            try credit(
                price?.halfBase ?? 0, .cancelSplit, .creditCreatedLastMinuteCancel, booking, payment, tx,
                context)
            try settle(.studentCancelSplit, payout: price?.halfPayout)
        case .instructorCancelRefund: try settle(.instructorCancel)
        case .instructorNoShowRefund: try settle(.instructorNoShow)
        case .adminRefund: try endRefund(&booking, payment, tx, context)
        case .lock:
            try payment.write(
                "locked_at = \(context.now), locked_cents = \(price?.base ?? 0), failed_step = NULL", tx,
                context)
            try booking.pay(.locked, tx, context)
            try tx.note(
                .lockActivated, booking.id, source: id.description, ["amount_cents": .int(price?.base ?? 0)])
        case .lockPayout:
            try resolveLock("new_lesson_completed", booking, payment, tx, context)
            try settle(.lessonCompletedFullPayout, payout: price?.payout)
        case .lockCredit:
            try credit(price?.base ?? 0, .lockedCancelCredit, nil, booking, payment, tx, context)
            try resolveLock("new_lesson_cancelled_ge12", booking, payment, tx, context)
            try settle(.lockedCancelCredit)
        case .lockSplit:
            try credit(price?.halfBase ?? 0, .lockedCancelSplit, nil, booking, payment, tx, context)
            try resolveLock("new_lesson_cancelled_lt12", booking, payment, tx, context)
            try settle(.lockedCancelSplit, payout: price?.halfPayout)
        case .lockRefund:
            try resolveLock("instructor_cancelled", booking, payment, tx, context)
            try settle(.instructorCancel)
        case .escalate:
            try payment.write(
                "capture_escalated_at = \(context.now), instructor_payout_cents = \(price?.payout ?? 0)", tx,
                context)
            try booking.pay(.manualReview, outcome: .captureFailurePaid, tx, context)
        case .disputeReverse: break
        case .disputeRestore: try settle(.disputeWon, payout: price?.payout)
        }
        try LockedLesson.settleSuccessor(of: booking, kind, tx, context)
    }

    /// Nothing was charged.
    private func free(
        _ outcome: SettlementOutcome, _ booking: inout Booking, _ payment: BookingPayment, _ tx: Transaction,
        _ context: Context
    ) throws {
        let released = try Credit.release(booking.id, of: booking.studentID, tx, context)
        if released > 0 {
            try tx.note(
                .creditsReleased, booking.id, source: id.description, ["amount_cents": .int(released)])
        }
        try payment.write(
            "credits_reserved_cents = 0, instructor_payout_cents = 0, auth_scheduled_for = NULL, failed_step = NULL",
            tx, context)
        try booking.pay(.settled, outcome: self.outcome ?? outcome, tx, context)
    }

    /// The student gets a credit of what the instructor does not get.
    private func credit(
        _ cents: Int, _ source: CreditSource, _ event: PaymentEvent?, _ booking: Booking,
        _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws {
        let owed = -(try Ledger.balances(booking: booking.id, tx)[.instructorPayable] ?? 0)
        try Ledger.post(
            Ledger.credited(cents, unpaidShare: owed), .init(booking),
            key: "credit_\(source.rawValue)_\(booking.id)", tx, context)
        try Credit.issue(
            cents, to: booking.studentID, source, of: booking.id, reason: "Cancelled lesson", tx, context)
        try payment.write("student_credit_cents = \(cents)", tx, context)
        if let event {
            try tx.note(event, booking.id, source: id.description, ["amount_cents": .int(cents)])
        }
    }

    private func resolveLock(
        _ resolution: String, _ booking: Booking, _ payment: BookingPayment, _ tx: Transaction,
        _ context: Context
    ) throws {
        try payment.write("lock_resolved_at = \(context.now), lock_resolution = \(resolution)", tx, context)
        try tx.note(
            .lockResolved, booking.id, source: id.description, ["lock_resolution": .string(resolution)])
    }

    /// A refund by an administrator: of all, the booking ends with it; of a part, it
    /// stays what it was.
    private func endRefund(
        _ booking: inout Booking, _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws {
        guard payment.refundedCents == payment.capturedCents else {
            return try booking.pay(
                .settled, outcome: booking.settlementOutcome ?? .lessonCompletedFullPayout, tx, context)
        }
        try payment.write("instructor_payout_cents = 0", tx, context)
        try undo(&booking, tx, context)
        // A lesson that was moved late and paid with it goes the same way.
        if var lesson = try LockedLesson.successor(of: booking, tx) { try undo(&lesson, tx, context) }
    }

    private func undo(_ booking: inout Booking, _ tx: Transaction, _ context: Context) throws {
        try LessonSettled.undo(booking, tx, context)
        try booking.pay(.settled, outcome: outcome ?? .adminRefund, tx, context)
        let next: BookingStatus = outcome == .instructorNoShow ? .noShow : .cancelled
        if booking.status != next, booking.status.canBecome(next) {
            try booking.move(to: next, reason: "Refunded", tx, context)
        }
    }

    /// A call was refused; later ones are not sent.
    func fail(
        _ step: MoneyStepKind, _ position: Int, _ problem: PaymentProblem, _ booking: inout Booking,
        _ tx: Transaction, _ context: Context
    ) throws {
        let reason = problem.declineCode.map { "\(problem.kind.rawValue) (\($0))" } ?? problem.kind.rawValue
        if step == .cancel, [.canceled, .notFound].contains(problem.kind) {
            // What was wanted is the case.
            try tx.run(
                """
                UPDATE money_steps SET state = 'done', error = \(reason), finished_at = \(context.now)
                WHERE plan_id = \(id) AND position = \(position)
                """)
            return try end(&booking, tx, context)
        }
        try tx.run(
            """
            UPDATE money_steps SET state = 'failed', error = \(reason), finished_at = \(context.now)
            WHERE plan_id = \(id) AND position = \(position)
            """)
        try close(.failed, tx, context)
        guard let payment = try BookingPayment.of(booking.id, tx) else { return }
        if step == .authorize, kind == .authorize {
            return try FailedAuthorization(plan: self, reason: reason).apply(&booking, payment, tx, context)
        }
        try payment.write(
            """
            failed_step = \(step == .authorize ? .capture : step), step_error = \(reason), \
            step_failed_at = \(context.now), step_failed_first_at = COALESCE(step_failed_first_at, \(context.now)), \
            step_failures = step_failures + 1
            """, tx, context)
        let event = failed(step, problem, booking)
        try tx.note(
            event, booking.id, source: "\(id)/\(position)",
            ["step": .string(step.rawValue), "initiated_by": try initiator(tx)], error: reason)
        let outcome: SettlementOutcome? = kind == .escalate ? .captureFailureEscalated : nil
        // A capture is tried again by itself; anything else needs somebody who looks.
        let isCapture =
            step == .capture
            && [
                .capture, .recapture, .studentCancelCredit, .studentCancelSplit,
                .studentNoShow,
            ].contains(kind) || kind == .recapture
        try booking.pay(isCapture ? .methodRequired : .manualReview, outcome: outcome, tx, context)
        if kind == .lock { try LockedLesson.activationFailed(booking, tx, context) }
    }
}
