package import Kernel
import Storage

/// Sets every connected account to weekly payouts, each Tuesday, however it was
/// changed (domain specification §2.4).
package struct AuditPayoutSchedules: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.audit_and_fix_payout_schedules"
    package static let queue = Queue.payments
    package static let priority = 5
    package static let timeout = Duration.seconds(300)
    static let anchor = "tuesday"

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("payout-schedule-audit", cron: "0 3 * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let provider = try PaymentProvider.required(attempt.context, attempt.database)
        let day = attempt.context.now.microseconds / 86_400_000_000
        let isThrough = try await sweep.walk({ after, limit, db in
            try db.all(
                """
                SELECT a.created_at, a.instructor_profile_id FROM stripe_connected_accounts a
                WHERE a.onboarding_completed AND a.deauthorized_at IS NULL
                AND (a.created_at, a.instructor_profile_id) > (\(after.at), \(after.id))
                ORDER BY a.created_at, a.instructor_profile_id LIMIT \(limit)
                """)
        }) { profile in
            let account = try await attempt.database.read { try ConnectedAccount.of(profile: profile, $0) }
            guard let account, account.isReady else { return PaymentSweep.skipped }
            let outcome = try await provider.send(
                .weeklyPayouts(account: account.stripeID, anchor: Self.anchor),
                "payout_schedule_\(account.stripeID)_\(day)")
            switch outcome {
            case .done: return "set to weekly"
            case .refused(let problem): return "refused (\(problem.kind.rawValue))"
            case .busy, .unknown: return "not answered"
            }
        }
        try await sweep.finish(isThrough: isThrough)
    }
}
