import JSON
import Kernel
import Storage

/// Judges the payment pipeline by counts of bookings and the last runs of its tasks.
struct CeleryPaymentHealth: Query {
    static let name = "celery_payment_health"
    static let title = "Payment pipeline health"
    static let summary =
        "Whether payments move: authorizations and captures that wait or are late, failures, last task runs."
    static let route = Route.get("celery/payment-health")

    enum Severity: String, Codable, Sendable, CaseIterable, SchemaDescribing { case warning, critical }

    struct Issue: Codable, Sendable {
        var severity: Severity
        var message: String
        var count: Int
    }

    struct Output: Codable, Sendable {
        /// True when everything was measured and nothing is wrong; null when
        /// nothing seems wrong but not everything was measured.
        var healthy: Bool?
        var issues: [Issue]
        var pendingAuthorizations: Int?
        var overdueAuthorizations: Int?
        var pendingCaptures: Int?
        var failedPayments24h: Int?
        var lastTaskRuns: [LastRunReport.Run]
        var status: MonitorStatus
        var problem: String?
        var checkedAt: Instant

        // `failed_payments_24h` is no snake case of a property's name.
        enum CodingKeys: String, CodingKey {
            case healthy, issues, status, problem
            case pendingAuthorizations = "pending_authorizations"
            case overdueAuthorizations = "overdue_authorizations"
            case pendingCaptures = "pending_captures"
            case failedPayments24h = "failed_payments_24h"
            case lastTaskRuns = "last_task_runs"
            case checkedAt = "checked_at"
        }
    }

    /// Domain specification §7.4.
    private static let captureLimit = 10
    static let tasks = [
        "process_scheduled_authorizations", "capture_completed_lessons", "retry_failed_authorizations",
    ]

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let now = context.now
        let counts = try await db.read { try Booking.paymentCounts($0, now: now) }
        let runs = try await TaskMonitor.current(db, context).lastRuns(
            Self.tasks.map { "app.tasks.payment_tasks.\($0)" }, now)
        var issues: [Issue] = []
        if counts.overdueAuthorizations > 0 {
            issues.append(
                Issue(
                    severity: .critical, message: "Bookings within 24 hours without authorization",
                    count: counts.overdueAuthorizations))
        }
        if counts.pendingCaptures > Self.captureLimit {
            issues.append(
                Issue(
                    severity: .warning, message: "Completed bookings pending capture",
                    count: counts.pendingCaptures))
        }
        if counts.failedToday > 0 {
            issues.append(
                Issue(
                    severity: .warning, message: "Failed payments in the last 24 hours",
                    count: counts.failedToday))
        }
        var problems = runs.problem.map { [$0] } ?? []
        if runs.runs.contains(where: { $0.lastRunAt == nil }) {
            problems.append("At least one payment task has never run here.")
        }
        let isMeasured = problems.isEmpty
        problems += issues.map { "\($0.message): \($0.count)." }
        return Output(
            healthy: issues.isEmpty ? (isMeasured ? true : nil) : false, issues: issues,
            pendingAuthorizations: counts.pendingAuthorizations,
            overdueAuthorizations: counts.overdueAuthorizations, pendingCaptures: counts.pendingCaptures,
            failedPayments24h: counts.failedToday,
            lastTaskRuns: zip(Self.tasks, runs.runs).map {
                LastRunReport.Run(taskName: $0, lastRunAt: $1.lastRunAt, status: $1.status)
            },
            status: runs.status == .unknown ? .unknown : problems.isEmpty ? .ok : .degraded,
            problem: problems.isEmpty ? nil : problems.joined(separator: " "), checkedAt: now)
    }
}
