package import Kernel
package import Storage
import Synchronization

// Jobs that show what the engine does with queues, keys, waits and errors.
extension TestJobs {
    package static let engine = Feature(
        name: "engine_jobs", summary: "Jobs of the tests of the engine.",
        jobs: [
            Urgent.self, Idle.self, Upkeep.self, Windowed.self, Patient.self, Sleeper.self, Blunder.self,
        ])

    /// Goes before ``Write``.
    package struct Urgent: Job {
        package static let name = "test.urgent"
        package static let priority = 10
        package var what: String
        package init(_ what: String) { self.what = what }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { [what] tx, _ in
                try TestJobs.record(what, tx)
                return .completed
            }
        }
    }

    /// Comes after ``Write``.
    package struct Idle: Job {
        package static let name = "test.idle"
        package static let priority = 0
        package var what: String
        package init(_ what: String) { self.what = what }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { [what] tx, _ in
                try TestJobs.record(what, tx)
                return .completed
            }
        }
    }

    /// Counts how many of its crowd run at a time, in a queue that allows two.
    package struct Upkeep: Job {
        package static let name = "test.upkeep"
        package static let queue = Queue.maintenance
        private static let crowds = Mutex<[String: (present: Int, most: Int)]>([:])
        package var crowd: String
        package init(_ crowd: String) { self.crowd = crowd }

        /// The most that ran at a time.
        package static func most(_ crowd: String) -> Int { crowds.withLock { $0[crowd]?.most ?? 0 } }

        package func run(_ attempt: JobAttempt) async throws {
            Self.crowds.withLock { crowds in
                let present = (crowds[crowd]?.present ?? 0) + 1
                crowds[crowd] = (present, max(present, crowds[crowd]?.most ?? 0))
            }
            await Gate.named(crowd).pass()
            Self.crowds.withLock { $0[crowd]?.present -= 1 }
            try await attempt.settle { tx, _ in
                try TestJobs.record("upkeep", tx)
                return .completed
            }
        }
    }

    /// Is enqueued once a minute at most.
    package struct Windowed: Job {
        package static let name = "test.windowed"
        package static let uniqueFor: Duration? = .seconds(60)
        package init() {}
        package var uniqueKey: String? { "windowed" }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("windowed", tx)
                return .completed
            }
        }
    }

    /// Fails, with a list of waits.
    package struct Patient: Job {
        package static let name = "test.patient"
        package static let retry = RetryPolicy(waits: [.seconds(1), .seconds(20), .seconds(300)])
        package init() {}
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { _, _ in .retry(error: "not yet") }
        }
        package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
            try TestJobs.record("discarded: \(reason)", tx)
        }
    }

    /// Sleeps until it is cancelled; whoever waits at its gate knows that it runs.
    package struct Sleeper: Job {
        package static let name = "test.sleeper"
        package static let retry = RetryPolicy(maximumAttempts: 1)
        package var gate: String
        package init(_ gate: String) { self.gate = gate }
        package func run(_ attempt: JobAttempt) async throws {
            await Gate.named(gate).pass()
            try await Task.sleep(for: .seconds(600))
        }
        package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
            try TestJobs.record("discarded: \(reason)", tx)
        }
    }

    /// Fails with an error of the test's own wording.
    package struct Blunder: Job {
        package static let name = "test.blunder"
        package var password: String
        package var text: String
        package init(_ text: String, password: String = "hunter2") {
            self.text = text
            self.password = password
        }
        package struct Trouble: Error, CustomStringConvertible { package var description: String }
        package func run(_ attempt: JobAttempt) async throws { throw Trouble(description: text) }
    }
}
