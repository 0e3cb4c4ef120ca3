import JSON
package import Kernel
import Storage

/// Tries again to authorize payments that were refused, with longer and longer waits,
/// and gives the lesson up half a day before it begins (domain specification §2.4).
package struct RetryFailedAuthorizations: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.retry_failed_authorizations"
    package static let queue = Queue.payments
    package static let priority = 8
    package static let timeout = Duration.seconds(300)
    /// So long before the lesson it is given up.
    static let end = CancellationRow.halfDay
    /// So long before the lesson the student is warned.
    static let warning = Duration.seconds(13 * 3_600)
    /// After one failure, two, and more.
    static let waits = [1, 4, 8].map { Duration.seconds($0 * 3_600) }

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("retry-failed-authorizations", cron: "*/15 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let run = try sweep.run()
        let now = attempt.context.now
        let isThrough = try await sweep.walk({ try Self.due($0, $1, now, $2) }) { id in
            try await sweep.carryOut(id, run) { booking, payment, tx, context in
                let left = booking.remaining(context.now)
                guard booking.status == .confirmed, booking.paymentStatus == .methodRequired, left > .zero
                else { return nil }
                if left <= Self.end { return try booking.giveUp(payment, tx, context) }
                let isLastCall =
                    try left <= Self.warning && booking.warnFinally(payment, tx, context)
                guard payment.methodID != nil, isLastCall || Self.isDue(payment, context.now) else {
                    return nil
                }
                try tx.note(
                    .authRetryAttempted, booking.id, source: "attempt/\(payment.authFailureCount + 1)",
                    ["attempt": .int(payment.authFailureCount + 1)])
                return try booking.startAuthorization(payment, tx, context)
            }
        }
        try await sweep.finish(isThrough: isThrough)
    }

    /// Whether the wait since the last attempt is over.
    static func isDue(_ payment: BookingPayment, _ now: Instant) -> Bool {
        guard payment.authFailureCount > 0, let last = payment.authAttemptedAt else { return true }
        return now - last >= waits[min(payment.authFailureCount, waits.count) - 1]
    }

    private static func due(_ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot) throws
        -> [PaymentSweep.Due]
    {
        try db.all(
            """
            SELECT b.booking_start_utc, b.id FROM bookings b
            WHERE b.payment_status = 'payment_method_required' AND b.status = 'CONFIRMED'
            AND b.booking_start_utc > \(now) AND (b.booking_start_utc, b.id) > (\(after.at), \(after.id))
            ORDER BY b.booking_start_utc, b.id LIMIT \(limit)
            """)
    }
}

extension Booking {
    /// The lesson does not take place: it was never paid for. Whoever calls carries the plan out.
    fileprivate mutating func giveUp(_ payment: BookingPayment, _ tx: Transaction, _ context: Context) throws
        -> ULID
    {
        try move(to: .paymentFailed, reason: "The payment could not be authorized in time", tx, context)
        try tx.note(.authAbandoned, id, source: "half a day before")
        let data: JSONObject = ["booking_id": .string(id.description)]
        try tx.notify(
            user: studentID, category: .lessonUpdates, type: "booking.payment_failed",
            title: "Your lesson was cancelled",
            body: "We could not authorize the payment of \(serviceName), so it does not take place.",
            data: data)
        try tx.notify(
            user: instructorID, category: .lessonUpdates, type: "booking.payment_failed",
            title: "A lesson was cancelled",
            body: "\(serviceName) was not paid for and does not take place.", data: data)
        return try MoneyPlan.start(
            .studentCancelFree, payment.intentID == nil ? [] : [.init(.cancel, "cancel_\(id)")], &self,
            runs: false, tx, context)
    }

    /// The last warning, once.
    /// - Returns: whether it was given now.
    fileprivate func warnFinally(_ payment: BookingPayment, _ tx: Transaction, _ context: Context) throws
        -> Bool
    {
        let warned: Instant? = try tx.value(
            "SELECT auth_warning_at FROM booking_payments WHERE booking_id = \(id)")
        guard warned == nil else { return false }
        try payment.write("auth_warning_at = \(context.now)", tx, context)
        try tx.note(.finalWarningSent, id, source: "13 hours before")
        try tx.notify(
            user: studentID, category: .lessonUpdates, type: "payment.final_warning",
            title: "Your lesson is about to be cancelled",
            body: """
                We still could not authorize the payment of \(serviceName). Choose another card within the \
                hour, or the lesson is cancelled.
                """, data: ["booking_id": .string(id.description)])
        return true
    }
}
