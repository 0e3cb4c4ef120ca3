package import Kernel
import Storage

/// Jobs that run by the clock, each with an entry every minute.
package enum TestSchedule {
    package static let feature = Feature(
        name: "test_schedule", summary: "Entries of the tests.",
        jobs: [Sweep.self, Digest.self, Off.self])
    /// The same with an entry before all others that cannot be enqueued.
    package static let broken = Feature(
        name: "broken_schedule", summary: "An entry that fails.", jobs: [Broken.self])

    /// Looks for everything there is to do.
    package struct Sweep: ScheduledJob {
        package static let name = "test.sweep"
        package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
            [JobSchedule("sweep", .every(seconds: 60))]
        }
        package init() {}
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("sweep", tx)
                return .completed
            }
        }
    }

    /// Does one slot's work, by a cron line.
    package struct Digest: ScheduledJob {
        package static let name = "test.digest"
        package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
            [JobSchedule("digest", cron: "* * * * *", catchUp: .each(limit: 50))]
        }
        package init() {}
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("digest", tx)
                return .completed
            }
        }
    }

    /// Turned off by a setting.
    package struct Off: ScheduledJob {
        package static let name = "test.off"
        package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
            [JobSchedule("off", .every(seconds: 60), isEnabled: false)]
        }
        package init() {}
        package func run(_ attempt: JobAttempt) async throws {}
    }

    /// Its payload cannot be written.
    package struct Broken: ScheduledJob {
        package static let name = "test.broken"
        package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
            [JobSchedule("a-broken", .every(seconds: 60))]
        }
        package init() {}
        package init(from decoder: any Decoder) throws {}
        package func encode(to encoder: any Encoder) throws { throw TestJobs.Stumble.Trouble() }
        package func run(_ attempt: JobAttempt) async throws {}
    }
}
