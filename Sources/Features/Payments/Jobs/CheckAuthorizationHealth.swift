import JSON
package import Kernel
import Logging
import Storage
import Synchronization

/// Notices when payments are no longer authorized although they are due: a switch that
/// does not depend on the job it watches (domain specification §2.4).
package struct CheckAuthorizationHealth: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.check_authorization_health"
    package static let queue = Queue.payments
    package static let priority = 10
    package static let isDatabaseOnly = true

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("payment-health-check", cron: "*/15 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let health = try AuthorizationHealth.measure(tx, now: unit.context.now)
            attempt.summarize(health.text)
            health.publish()
            guard !health.isHealthy else { return .completed }
            unit.context.logger.error("payments are not authorized", metadata: ["health": "\(health.text)"])
            try tx.audit(
                "payment.health_check", Subject("payment", nil), description: health.text, status: .failed,
                metadata: [
                    "overdue": .int(health.overdue),
                    "minutes_since_success": health.minutesSinceSuccess.map { .int($0) } ?? .null,
                ], error: health.text)
            return .completed
        }
    }
}

/// Whether due payments are authorized.
package struct AuthorizationHealth: Sendable, Hashable {
    private static let last = Mutex<AuthorizationHealth?>(nil)
    /// What this process measured last, for its metrics; nil where it has not.
    package static var latest: AuthorizationHealth? { last.withLock { $0 } }

    static let overdueLimit = 5
    static let silenceLimit = 120
    /// Due for less, and the next run of the job takes it.
    static let grace = Duration.seconds(600)
    private static let countLimit = 10_000

    /// Payments whose time came longer than ``grace`` ago.
    package var overdue: Int
    /// Since the last authorization; nil when there was none ever.
    package var minutesSinceSuccess: Int?

    var isSilent: Bool { overdue > 0 && (minutesSinceSuccess ?? .max) > Self.silenceLimit }
    package var isHealthy: Bool { overdue <= Self.overdueLimit && !isSilent }

    var text: String {
        let last = minutesSinceSuccess.map { "the last one \($0) minutes ago" } ?? "none so far"
        return "\(overdue) authorizations overdue, \(last)"
    }

    fileprivate func publish() { Self.last.withLock { $0 = self } }

    static func measure(_ db: Snapshot, now: Instant) throws -> AuthorizationHealth {
        let overdue: Int =
            try db.value(
                """
                SELECT COUNT(*) FROM (SELECT 1 FROM booking_payments p JOIN bookings b ON b.id = p.booking_id
                WHERE p.auth_scheduled_for IS NOT NULL AND p.auth_scheduled_for <= \(now - grace)
                AND b.status = 'CONFIRMED' AND b.payment_status = 'scheduled' LIMIT \(countLimit)) AS found
                """) ?? 0
        let successes: [PaymentEvent] = [.authSucceeded, .authRetrySucceeded, .authSucceededCreditsOnly]
        let last = try successes.compactMap { event in
            try db.value(
                "SELECT MAX(created_at) FROM payment_events WHERE event_type = \(event)", as: Instant.self)
        }.max()
        return AuthorizationHealth(
            overdue: overdue, minutesSinceSuccess: last.map { Int((now - $0) / .seconds(60)) })
    }
}
