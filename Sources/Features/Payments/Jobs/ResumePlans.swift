package import Kernel
import Storage

/// Sees to plans that nobody carries out: their process died, or their job was given up.
package struct ResumePlans: ScheduledJob {
    package static let name = "payments.resume_plans"
    package static let queue = Queue.payments
    package static let priority = 9
    package static let isDatabaseOnly = true
    /// A younger plan has somebody.
    static let age = Duration.seconds(120)
    static let limit = 500

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("resume-money-plans", cron: "*/5 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let now = unit.context.now
            let plans: [ULID] = try tx.values(
                """
                SELECT id FROM money_plans WHERE state = 'running' AND created_at <= \(now - Self.age)
                AND (leased_until IS NULL OR leased_until <= \(now)) ORDER BY created_at LIMIT \(Self.limit)
                """)
            // One that has its job already is not enqueued again: its key is taken.
            let count = try plans.count { try tx.enqueue(RunMoneyPlan(plan: $0)) }
            attempt.summarize("\(count) of \(plans.count) running plans resumed")
            return .completed
        }
    }
}
