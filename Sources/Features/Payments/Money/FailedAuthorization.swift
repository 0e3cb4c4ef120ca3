import JSON
package import Kernel
import Storage

/// An authorization that was refused (domain specification §2.3, §2.4).
struct FailedAuthorization {
    var plan: MoneyPlan
    /// Short and without names.
    var reason: String

    func apply(_ booking: inout Booking, _ payment: BookingPayment, _ tx: Transaction, _ context: Context)
        throws
    {
        try Credit.release(booking.id, of: booking.studentID, tx, context)
        try payment.write(
            """
            auth_failure_count = auth_failure_count + 1, auth_last_error = \(reason), auth_scheduled_for = NULL, \
            credits_reserved_cents = 0
            """, tx, context)
        let event: PaymentEvent = payment.authFailureCount > 0 ? .authRetryFailed : .authFailed
        try tx.note(event, booking.id, source: plan.id.description, error: reason)
        try booking.pay(.methodRequired, tx, context)
        if booking.status == .pending {
            // Nobody else may want the time for long.
            try tx.enqueue(
                CheckImmediateAuthTimeout(booking: booking.id),
                at: context.now + CheckImmediateAuthTimeout.patience)
        } else if payment.authFailureCount == 0 {
            try tellStudent(booking, payment, tx, context)
        }
    }

    /// Once, at the first failure.
    private func tellStudent(
        _ booking: Booking, _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws {
        try tx.notify(
            user: booking.studentID, category: .lessonUpdates, type: "payment.authorization_failed",
            title: "Your card was not accepted",
            body: "We could not authorize the payment of your lesson. Please choose another card.",
            data: ["booking_id": .string(booking.id.description)])
        try payment.write("auth_first_mail_at = \(context.now)", tx, context)
        try tx.note(.firstFailureMailSent, booking.id, source: plan.id.description)
    }
}

/// Ends a booking that was not paid for half an hour after its card was refused.
package struct CheckImmediateAuthTimeout: Job {
    package static let name = "app.tasks.payment_tasks.check_immediate_auth_timeout"
    package static let queue = Queue.payments
    package static let priority = 8
    package static let isDatabaseOnly = true
    static let patience = Duration.seconds(1_800)

    package var booking: ULID

    package init(booking: ULID) { self.booking = booking }

    package var uniqueKey: String? { "auth-timeout:\(booking)" }

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { [booking] tx, unit in
            let context = unit.context
            guard var found = try Booking.lock(booking, tx), found.status == .pending,
                found.paymentStatus == .methodRequired
            else { return .completed }
            guard try MoneyPlan.running(booking, tx) == nil else { return .snooze(.seconds(60)) }
            try found.move(to: .paymentFailed, reason: "Not paid in time", tx, context)
            try found.pay(.settled, outcome: .studentCancelFree, tx, context)
            try tx.note(.authAbandoned, booking, source: attempt.record.id.description)
            attempt.summarize("a booking was not paid in time")
            return .completed
        }
    }
}
