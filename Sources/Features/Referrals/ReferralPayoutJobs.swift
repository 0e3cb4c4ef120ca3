package import Kernel
import Storage

/// Makes one payout: one call to the provider, with the payout's own key.
package struct ProcessReferralPayout: Job {
    package static let name = "app.tasks.referral_tasks.process_instructor_referral_payout"
    package static let queue = Queue.payments
    package static let priority = 6

    package var payout: ULID

    package init(payout: ULID) { self.payout = payout }

    package var uniqueKey: String? { "referral-payout:\(payout)" }

    package func run(_ attempt: JobAttempt) async throws {
        let id = payout
        let found = try await attempt.database.read { try InstructorReferralPayout.find(id, $0) }
        guard let found, found.status == .pending else { return }
        let outcome = try await TransferPort.of(attempt.context, attempt.database).transfer(found)
        try await attempt.settle { tx, unit in
            try found.apply(outcome, tx, unit.context)
            if case .pending(let reason) = outcome { attempt.summarize("still pending: \(reason)") }
            return .completed
        }
    }
}

/// Enqueues payouts that nobody is at (domain specification §3.5).
package struct CheckPendingReferralPayouts: ScheduledJob {
    package static let name = "app.tasks.referral_tasks.check_pending_instructor_referral_payouts"
    package static let queue = Queue.payments
    package static let priority = 6
    package static let isDatabaseOnly = true
    /// A younger one has its job.
    static let age = Duration.seconds(300)
    static let limit = 500

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("check-pending-instructor-referral-payouts", cron: "*/15 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let count = try InstructorReferralPayout.enqueuePending(
                olderThan: Self.age, limit: Self.limit, tx, unit.context)
            attempt.summarize("\(count) enqueued")
            return .completed
        }
    }
}

/// Gives failed payouts another attempt, every hour for a week (domain specification §3.5).
package struct RetryFailedReferralPayouts: ScheduledJob {
    package static let name = "app.tasks.referral_tasks.retry_failed_instructor_referral_payouts"
    package static let queue = Queue.payments
    package static let priority = 6
    package static let isDatabaseOnly = true
    static let period = Duration.seconds(7 * 86_400)
    static let limit = 500

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("retry-failed-instructor-referral-payouts", cron: "0 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let count = try InstructorReferralPayout.retryFailed(
                since: Self.period, limit: Self.limit, tx, unit.context)
            attempt.summarize("\(count) retried")
            return .completed
        }
    }
}
