package import Kernel
import Storage

/// Takes instructors down whose background check ran out, and writes to those whose
/// check will within 30 days. Runs daily where `BGC_EXPIRY_SWEEP` is on.
package struct SweepExpiredChecks: ScheduledJob {
    package static let name = "bgc.expiry_sweep"
    package static let isDatabaseOnly = true
    static let noticePeriod = Duration.seconds(30 * 86_400)
    static let page = 200

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [
            JobSchedule(
                "bgc-expiry-sweep", CronExpression("0 3 * * *").map(Cadence.cron) ?? .never("0 3 * * *"),
                isEnabled: configuration.bgcExpirySweep == "on")
        ]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.now
        let ended = try await walk("bgc_valid_until <= \(now) AND is_live", attempt) { profile, tx, context in
            try profile.setLive(false, as: "instructor.bgc_expired", tx, context)
        }
        let soon: SQL = "bgc_valid_until > \(now) AND bgc_valid_until <= \(now + Self.noticePeriod)"
        let warned = try await walk(soon, attempt) { profile, tx, _ in
            guard let end = profile.check.validUntil else { return false }
            try profile.mail(.expiring, key: "\(end.microseconds)", tx)
            return true
        }
        let failed = ended.failed + warned.failed
        attempt.summarize(
            "\(ended.done) taken down, \(warned.done) run out within 30 days, \(failed) left for the next day"
        )
        try await attempt.settle { _, _ in .completed }
    }

    /// Every passed profile that meets the condition, a page in a transaction. One that
    /// fails is left for the next day and does not hold up the others.
    /// - Returns: for how many something was done, and how many failed.
    private func walk(
        _ condition: SQL, _ attempt: JobAttempt,
        _ body: @escaping @Sendable (InstructorProfile, Transaction, Context) throws -> Bool
    ) async throws -> (done: Int, failed: Int) {
        var (last, total) = ("", (done: 0, failed: 0))
        while true {
            let after = last
            let (ids, done, failed) = try await attempt.database.transaction(
                attempt.context, category: .automated
            ) { tx, unit in
                var (done, failed) = (0, 0)
                let due: SQL =
                    "SELECT id FROM instructor_profiles WHERE bgc_status = 'passed' AND \(condition)"
                let ids: [ULID] = try tx.values(due + " AND id > \(after) ORDER BY id LIMIT \(Self.page)")
                for id in ids {
                    do {
                        done += try tx.savepoint {
                            // Whoever had the lock before may have renewed the check.
                            guard let profile = try InstructorProfile.lock(id, tx),
                                try tx.value(due + " AND id = \(id)", as: ULID.self) != nil,
                                try body(profile, tx, unit.context)
                            else { return 0 }
                            return 1
                        }
                    } catch is Failure { failed += 1 }
                }
                return (ids, done, failed)
            }
            total = (total.done + done, total.failed + failed)
            guard ids.count == Self.page, let end = ids.last else { return total }
            last = end.description
        }
    }
}
