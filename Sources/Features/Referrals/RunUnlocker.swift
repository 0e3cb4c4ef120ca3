package import Kernel
import Storage

/// Unlocks rewards whose hold is over, and ends those that nobody used in time
/// (domain specification §7.1).
package struct RunUnlocker: ScheduledJob {
    package static let name = "app.tasks.referrals.run_unlocker"
    package static let isDatabaseOnly = true
    /// How many of each one transaction takes.
    static let limit = 500

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("referrals-unlock-every-15m", cron: "*/15 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let done = try ReferralReward.unlockDue(Self.limit, tx, unit.context)
            attempt.summarize("\(done.unlocked) unlocked, \(done.expired) expired")
            return done.isAll ? .completed : .snooze(.zero)
        }
    }
}
