package import Kernel
package import Storage
import Synchronization

/// Jobs without a domain, for tests of the queue itself. What a job does to
/// the database is a row in `job_runs`.
package enum TestJobs {
    package static let feature = Feature(
        name: "test_jobs", summary: "Jobs of the tests.",
        jobs: [Write.self, Stumble.self, Once.self, Linger.self, Hang.self, Tell.self, TellLight.self],
        migrations: [
            Migration("9003_job_runs") { _ in ["CREATE TABLE job_runs (id \(.autoID), job TEXT NOT NULL)"] }
        ])

    static func record(_ name: String, _ tx: Transaction) throws {
        try tx.run("INSERT INTO job_runs (job) VALUES (\(name))")
    }

    /// Whether the transaction's commit waits for the disk: `waits` or `deferred`.
    static func durability(_ tx: Transaction) throws -> String {
        guard tx.dialect == .postgres else { return "waits" }
        let source: String? = try tx.value(
            "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
        return source == "session" ? "deferred" : "waits"
    }

    /// Writes whether its claim and its outcome wait for the disk.
    package struct Tell: Job {
        package static let name = "test.tell"
        package init() {}
        package static func claimed(_ jobs: [Tell], _ tx: Transaction, _ context: Context) throws {
            try TestJobs.record("claim \(TestJobs.durability(tx))", tx)
        }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("outcome \(TestJobs.durability(tx))", tx)
                return .completed
            }
        }
    }

    /// The same of a job that does nothing outside its transaction.
    package struct TellLight: Job {
        package static let name = "test.tell_light"
        package static let isDatabaseOnly = true
        package init() {}
        package static func claimed(_ jobs: [TellLight], _ tx: Transaction, _ context: Context) throws {
            try TestJobs.record("light claim \(TestJobs.durability(tx))", tx)
        }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("light outcome \(TestJobs.durability(tx))", tx)
                return .completed
            }
        }
    }

    /// Writes a row.
    package struct Write: Job {
        package static let name = "test.write"
        package var what: String
        package init(_ what: String) { self.what = what }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { [what] tx, _ in
                try TestJobs.record(what, tx)
                return .completed
            }
        }
    }

    /// Writes a row and ends in the way it is told.
    package struct Stumble: Job {
        package static let name = "test.stumble"
        package static let retry = RetryPolicy(maximumAttempts: 3, base: .seconds(10), cap: .seconds(15))
        package var how: String
        package init(_ how: String) { self.how = how }

        package struct Trouble: Error { package init() {} }

        package func run(_ attempt: JobAttempt) async throws {
            if how == "throw" { throw Trouble() }
            if how == "refuse" { throw Failure(.invalidInput, "It cannot be done.") }
            try await attempt.settle { [how] tx, _ in
                try TestJobs.record(how, tx)
                switch how {
                case "throw inside": throw Trouble()
                case "snooze": return .snooze(.seconds(5))
                case "discard": return .discard(error: "given up")
                default: return .retry(error: "not yet")
                }
            }
        }

        package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
            if how == "cannot be undone" { throw Trouble() }
            try TestJobs.record("discarded: \(reason)", tx)
        }
    }

    /// Is in the queue at most once.
    package struct Once: Job {
        package static let name = "test.once"
        package static let formerNames = ["test.only_once"]
        package init() {}
        package var uniqueKey: String? { "once" }
        package func run(_ attempt: JobAttempt) async throws {
            try await attempt.settle { tx, _ in
                try TestJobs.record("once", tx)
                return .completed
            }
        }
    }

    /// Waits for the test's word before it writes its row.
    package struct Linger: Job {
        package static let name = "test.linger"
        package var gate: String
        package var password: String?
        package init(_ gate: String, password: String? = nil) {
            self.gate = gate
            self.password = password
        }
        package func run(_ attempt: JobAttempt) async throws {
            await Gate.named(gate).pass()
            let wasCancelled = Task.isCancelled
            try await attempt.settle { tx, _ in
                try TestJobs.record(wasCancelled ? "cancelled" : "lingered", tx)
                return .completed
            }
        }
    }

    /// Takes far longer than it may.
    package struct Hang: Job {
        package static let name = "test.hang"
        package static let timeout = Duration.milliseconds(50)
        package init() {}
        package func run(_ attempt: JobAttempt) async throws { try await Task.sleep(for: .seconds(600)) }
    }
}

/// Stops whoever passes until the test opens it, and tells the test of the arrival.
package actor Gate {
    private static let known = Mutex<[String: Gate]>([:])
    private var isOpen = false
    private var arrivals = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    /// The gate of that name; both sides name it alike.
    package static func named(_ name: String) -> Gate {
        known.withLock { known in
            let gate = known[name] ?? Gate()
            known[name] = gate
            return gate
        }
    }

    package func pass() async {
        arrivals += 1
        for watcher in watchers { watcher.resume() }
        watchers = []
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }

    /// Returns once somebody has come.
    package func arrived() async {
        if arrivals == 0 { await withCheckedContinuation { watchers.append($0) } }
    }

    package func open() {
        isOpen = true
        for visitor in waiting { visitor.resume() }
        waiting = []
    }
}
