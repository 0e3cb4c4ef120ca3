package import Kernel
import Storage

/// Authorizes payments whose time has come, a day before their lesson (domain
/// specification §2.4).
package struct ProcessScheduledAuthorizations: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.process_scheduled_authorizations"
    package static let queue = Queue.payments
    package static let priority = 9
    package static let timeout = Duration.seconds(300)
    /// Of rows that know no time of their own: so long before the lesson.
    static let lead = Duration.seconds(24 * 3_600)

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("process-scheduled-authorizations", cron: "*/5 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let run = try sweep.run()
        let authorize: @Sendable (ULID) async throws -> String = { id in
            try await sweep.carryOut(id, run) { booking, payment, tx, context in
                guard booking.status == .confirmed, booking.paymentStatus == .scheduled,
                    (payment.authScheduledFor ?? booking.start - Self.lead) <= context.now
                else { return nil }
                return try booking.startAuthorization(payment, tx, context)
            }
        }
        let now = attempt.context.now
        let isThrough = try await sweep.walk({ try Self.due($0, $1, now, $2) }, authorize)
        try await sweep.walk({ try Self.dueByLesson($0, $1, now, $2) }, authorize)
        try await sweep.finish(isThrough: isThrough)
    }

    private static func due(_ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot) throws
        -> [PaymentSweep.Due]
    {
        try db.all(
            """
            SELECT p.auth_scheduled_for, p.booking_id FROM booking_payments p JOIN bookings b ON b.id = p.booking_id
            WHERE p.auth_scheduled_for IS NOT NULL AND p.auth_scheduled_for <= \(now)
            AND (p.auth_scheduled_for, p.booking_id) > (\(after.at), \(after.id))
            AND b.status = 'CONFIRMED' AND b.payment_status = 'scheduled'
            ORDER BY p.auth_scheduled_for, p.booking_id LIMIT \(limit)
            """)
    }

    /// Rows that hold no time of their own.
    private static func dueByLesson(
        _ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot
    ) throws -> [PaymentSweep.Due] {
        try db.all(
            """
            SELECT b.booking_start_utc, b.id FROM bookings b JOIN booking_payments p ON p.booking_id = b.id
            WHERE b.status = 'CONFIRMED' AND b.payment_status = 'scheduled' AND p.auth_scheduled_for IS NULL
            AND b.booking_start_utc > \(now) AND b.booking_start_utc <= \(now + lead)
            AND (b.booking_start_utc, b.id) > (\(after.at), \(after.id))
            ORDER BY b.booking_start_utc, b.id LIMIT \(limit)
            """)
    }
}

extension Booking {
    /// Starts the plan that authorizes the payment; whoever calls carries it out.
    mutating func startAuthorization(
        _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        try MoneyPlan.start(
            .authorize, [.init(.authorize, "auth_\(id)_\(payment.authFailureCount + 1)")], &self, runs: false,
            tx, context)
    }
}
