import JSON
package import Kernel
import Storage

/// Tries again to take prices that could not be taken, and after three days pays the
/// instructor from the platform's balance (domain specification §2.4).
package struct RetryFailedCaptures: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.retry_failed_captures"
    package static let queue = Queue.payments
    package static let priority = 6
    package static let timeout = Duration.seconds(300)
    /// From one failure to the next attempt.
    static let pause = Duration.seconds(4 * 3_600)
    /// From the first failure until nothing more is tried.
    static let patience = Duration.seconds(72 * 3_600)

    static let left = "left to somebody who looks"

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("retry-failed-captures", cron: "0 */4 * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let run = try sweep.run()
        let now = attempt.context.now
        let isThrough = try await sweep.walk({ try Self.due($0, $1, now, $2) }) { id in
            if try await sweep.transaction({ try Booking.leaveCapture(id, $0, $1) }) { return Self.left }
            return try await sweep.carryOut(id, run) { booking, payment, tx, context in
                guard payment.isCaptureDue(booking, context.now) else { return nil }
                if payment.isPatienceOver(context.now) { return try booking.escalate(payment, tx, context) }
                return try booking.captureAgain(payment, tx, context)
            }
        }
        try await sweep.finish(isThrough: isThrough)
    }

    private static func due(_ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot) throws
        -> [PaymentSweep.Due]
    {
        try db.all(
            """
            SELECT p.step_failed_at, b.id FROM booking_payments p JOIN bookings b ON b.id = p.booking_id
            WHERE p.failed_step = 'capture' AND p.step_failed_at <= \(now - pause)
            AND (p.step_failed_at, b.id) > (\(after.at), \(after.id))
            AND b.payment_status = 'payment_method_required'
            ORDER BY p.step_failed_at, b.id LIMIT \(limit)
            """)
    }
}

extension BookingPayment {
    fileprivate func isCaptureDue(_ booking: Booking, _ now: Instant) -> Bool {
        guard booking.paymentStatus == .methodRequired, failedStep == .capture, let stepFailedAt else {
            return false
        }
        return now - stepFailedAt >= RetryFailedCaptures.pause
    }

    fileprivate func isPatienceOver(_ now: Instant) -> Bool {
        stepFailedFirstAt.map { now - $0 >= RetryFailedCaptures.patience } ?? false
    }
}

extension Booking {
    /// Starts the rest of the plan that failed, or one with a new authorization where
    /// the old one ran out.
    fileprivate mutating func captureAgain(
        _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws -> ULID? {
        guard let failed = try MoneyPlan.latest(id, tx), failed.state == .failed else { return nil }
        if try payment.hasExpired(tx), [.capture, .recapture].contains(failed.kind) {
            return try captureAnew(payment, tx, context)
        }
        let steps = try failed.remainingSteps(tx)
        guard !steps.isEmpty else { return nil }
        return try MoneyPlan.start(
            failed.kind, steps, &self, outcome: failed.outcome, runs: false, tx, context)
    }

    /// Starts the plan that pays the instructor although the student's card gave nothing.
    fileprivate mutating func escalate(_ payment: BookingPayment, _ tx: Transaction, _ context: Context)
        throws -> ULID?
    {
        guard let price = payment.price else { return nil }
        try lockStudent(tx, context)
        try tx.note(.captureFailureEscalated, id, source: "72 hours")
        return try MoneyPlan.start(
            .escalate, [.init(.payout, "capture_failure_payout_\(id)", cents: price.payout)], &self,
            runs: false, tx, context)
    }

    /// The charge of a cancelled lesson that cannot be had: nobody was taught, so nobody
    /// is paid for it.
    fileprivate static func leaveCapture(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        guard var booking = try lock(id, tx), booking.status == .cancelled,
            try MoneyPlan.running(id, tx) == nil, let payment = try BookingPayment.of(id, tx),
            payment.isCaptureDue(booking, context.now), payment.isPatienceOver(context.now)
        else { return false }
        try booking.lockStudent(tx, context)
        try payment.write("capture_escalated_at = \(context.now)", tx, context)
        try booking.pay(.manualReview, outcome: .captureFailureEscalated, tx, context)
        try tx.note(.captureFailureEscalated, id, source: "72 hours")
        return true
    }

    /// The student cannot book until somebody has looked.
    private func lockStudent(_ tx: Transaction, _ context: Context) throws {
        let changed = try tx.run(
            """
            UPDATE users SET account_locked = TRUE, account_locked_at = \(context.now), \
            account_locked_reason = 'The payment of a lesson could not be taken', updated_at = \(context.now)
            WHERE id = \(studentID) AND account_locked = FALSE
            """)
        guard changed.affected == 1 else { return }
        try tx.audit(
            "user.lock", Subject("user", studentID.description),
            changes: ["account_locked": ["old": false, "new": true]],
            metadata: ["booking_id": .string(id.description)])
    }
}

extension MoneyPlan {
    /// The calls of a failed plan that were not done, under the keys they were first given.
    fileprivate func remainingSteps(_ db: Snapshot) throws -> [Step] {
        let rows = try db.rows(
            """
            SELECT kind, key, amount_cents FROM money_steps WHERE plan_id = \(id)
            AND state IN ('planned', 'failed') ORDER BY position
            """)
        return try rows.map { row in
            let key: String = try row.get(at: 1)
            return Step(
                try row.get(at: 0), String(key.prefix { $0 != "~" }), cents: try row.get(at: 2))
        }
    }
}
