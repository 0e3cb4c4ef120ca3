import JSON
package import Kernel
import Storage

/// Takes the money for lessons that ended a day ago, completes those that nobody
/// completed, and looks after authorizations that grow old (domain specification §2.4).
package struct CaptureCompletedLessons: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.capture_completed_lessons"
    package static let queue = Queue.payments
    package static let priority = 7
    package static let timeout = Duration.seconds(300)
    /// From the end of a lesson until its price is taken; so long a no-show can be reported.
    static let delay = Duration.seconds(24 * 3_600)
    /// A card's bank keeps an authorization for a week (docs.stripe.com/payments/place-a-hold).
    static let authorizationAge = Duration.seconds(7 * 86_400)

    static let expired = "authorization expired"
    static let resolved = "held price paid out"

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("capture-completed-lessons", cron: "0 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let run = try sweep.run()
        let now = attempt.context.now
        var isThrough = try await sweep.walk({ try Self.ended("authorized", $0, $1, now, $2) }) { id in
            let result = try await sweep.carryOut(id, run) { booking, payment, tx, context in
                try booking.captureWhenEnded(payment, tx, context)
            }
            return try await Self.again(id, after: result, sweep, run)
        }
        isThrough =
            try await sweep.walk({ try Self.ended("locked", $0, $1, now, $2) }) { id in
                try await sweep.transaction { try Booking.payOutHeldPrice(id, $0, $1) }
                    ? Self.resolved : PaymentSweep.skipped
            } && isThrough
        isThrough =
            try await sweep.walk({ try Self.old($0, $1, now, $2) }) { id in
                if try await sweep.transaction({ try Booking.dropOldAuthorization(id, $0, $1) }) {
                    return Self.expired
                }
                let result = try await sweep.carryOut(id, run) { booking, payment, tx, context in
                    try booking.captureOld(payment, tx, context)
                }
                return try await Self.again(id, after: result, sweep, run)
            } && isThrough
        try await sweep.finish(isThrough: isThrough)
    }

    /// An authorization that turned out to have run out is replaced at once.
    private static func again(_ id: ULID, after result: String, _ sweep: PaymentSweep, _ run: MoneyRun)
        async throws -> String
    {
        guard result == MoneyPlan.notCaptured else { return result }
        let second = try await sweep.carryOut(id, run) { booking, payment, tx, context in
            guard try payment.hasExpired(tx) else { return nil }
            return try booking.captureAnew(payment, tx, context)
        }
        return second == PaymentSweep.skipped ? result : second
    }

    private static func ended(
        _ status: String, _ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot
    ) throws -> [PaymentSweep.Due] {
        // The status as a part of the text, so that the partial index is seen to fit.
        let isPaid: SQL =
            status == "locked" ? "b.payment_status = 'locked'" : "b.payment_status = 'authorized'"
        return try db.all(
            """
            SELECT b.booking_end_utc, b.id FROM bookings b
            WHERE b.status IN ('CONFIRMED', 'COMPLETED') AND \(isPaid)
            AND b.booking_end_utc <= \(now - delay) AND (b.booking_end_utc, b.id) > (\(after.at), \(after.id))
            ORDER BY b.booking_end_utc, b.id LIMIT \(limit)
            """)
    }

    private static func old(_ after: PaymentSweep.Due, _ limit: Int, _ now: Instant, _ db: Snapshot) throws
        -> [PaymentSweep.Due]
    {
        try db.all(
            """
            SELECT p.auth_succeeded_at, b.id FROM bookings b JOIN booking_payments p ON p.booking_id = b.id
            WHERE b.payment_status = 'authorized' AND b.status IN ('CONFIRMED', 'COMPLETED')
            AND p.auth_succeeded_at <= \(now - authorizationAge)
            AND (p.auth_succeeded_at, b.id) > (\(after.at), \(after.id))
            ORDER BY p.auth_succeeded_at, b.id LIMIT \(limit)
            """)
    }
}

extension Booking {
    /// The calls that take a lesson's price and pay the instructor.
    func captureSteps(_ payment: BookingPayment, key: String) -> [MoneyPlan.Step] {
        [.init(.capture, key), .init(.topUp, "topup:\(payment.intentID ?? id.description)")]
    }

    /// Starts the plan that takes the price of a lesson that ended a day ago; a lesson
    /// that nobody completed is completed as of its end.
    fileprivate mutating func captureWhenEnded(
        _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws -> ULID? {
        guard paymentStatus == .authorized, [.confirmed, .completed].contains(status),
            end <= context.now - CaptureCompletedLessons.delay
        else { return nil }
        try completeByItself(tx, context)
        return try MoneyPlan.start(
            .capture, captureSteps(payment, key: "capture_\(id)"), &self, runs: false, tx, context)
    }

    private mutating func completeByItself(_ tx: Transaction, _ context: Context) throws {
        guard status == .confirmed else { return }
        try move(to: .completed, at: end, tx, context)
        try tx.note(.autoCompleted, id, source: "a day after its end")
    }

    /// Of a completed lesson: its authorization is used before it runs out.
    fileprivate mutating func captureOld(_ payment: BookingPayment, _ tx: Transaction, _ context: Context)
        throws -> ULID?
    {
        guard paymentStatus == .authorized, status == .completed, payment.isOld(context.now) else {
            return nil
        }
        return try MoneyPlan.start(
            .capture, captureSteps(payment, key: "capture_\(id)"), &self, runs: false, tx, context)
    }

    /// Starts the plan that replaces an authorization that ran out and takes the price.
    mutating func captureAnew(_ payment: BookingPayment, _ tx: Transaction, _ context: Context) throws -> ULID
    {
        // The new payment has no id yet, so the booking stands for it in the key of its top-up.
        try MoneyPlan.start(
            .recapture,
            [
                .init(.authorize, "reauth_\(id)"), .init(.capture, "recapture_\(id)"),
                .init(.topUp, "topup:\(id)"),
            ], &self, runs: false, tx, context)
    }

    /// The price that was held for a moved lesson goes to the instructor once the new
    /// lesson is over; a job carries that out.
    fileprivate static func payOutHeldPrice(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> Bool
    {
        guard var new = try lock(id, tx), new.paymentStatus == .locked, new.hasLockedFunds,
            [.confirmed, .completed].contains(new.status),
            new.end <= context.now - CaptureCompletedLessons.delay,
            let old = try LockedLesson.holder(of: new, tx), old.paymentStatus == .locked,
            try MoneyPlan.running(old.id, tx) == nil
        else { return false }
        try new.completeByItself(tx, context)
        try LockedLesson.resolve(.lockPayout, for: new, tx, context)
        return true
    }

    /// Of a lesson to come: an authorization that is too old is asked for again.
    fileprivate static func dropOldAuthorization(_ id: ULID, _ tx: Transaction, _ context: Context) throws
        -> Bool
    {
        guard var booking = try lock(id, tx), booking.paymentStatus == .authorized,
            booking.status == .confirmed, booking.start > context.now,
            try MoneyPlan.running(id, tx) == nil, let payment = try BookingPayment.of(id, tx),
            payment.isOld(context.now)
        else { return false }
        try booking.authorizationExpired(payment, source: "\(payment.intentID ?? "credits")", tx, context)
        return true
    }

    /// The payment is to be authorized anew, by the job that retries.
    mutating func authorizationExpired(
        _ payment: BookingPayment, source: String, _ tx: Transaction, _ context: Context
    ) throws {
        try payment.write(
            "auth_succeeded_at = NULL, auth_attempted_at = NULL, auth_scheduled_for = NULL", tx, context)
        try pay(.methodRequired, tx, context)
        try tx.note(.authExpired, id, source: source)
    }
}

extension BookingPayment {
    fileprivate func isOld(_ now: Instant) -> Bool {
        authSucceededAt.map { now - $0 >= CaptureCompletedLessons.authorizationAge } ?? false
    }

    /// Whether a capture failed because its authorization had run out.
    func hasExpired(_ db: Snapshot) throws -> Bool {
        guard failedStep == .capture else { return false }
        let error: String? = try db.value(
            "SELECT step_error FROM booking_payments WHERE booking_id = \(bookingID)")
        return error?.hasPrefix(PaymentProblem.Kind.canceled.rawValue) ?? false
    }
}
