import Kernel
import Storage

/// A row of `job_effects`. The table has no key, so that a second effect would show.
struct Effect {
    let number: Int
    let attempt: JobAttempt

    static let migration = Migration("9001_job_effects") { _ in
        [
            """
            CREATE TABLE job_effects (
                number BIGINT NOT NULL, job \(.id) NOT NULL, attempt INTEGER NOT NULL, worker TEXT)
            """
        ]
    }

    static func write(_ effects: [Effect], _ tx: Transaction) throws {
        try tx.runMany(
            SQL.inserts(
                "INSERT INTO job_effects (number, job, attempt, worker) VALUES",
                effects.map { effect in
                    let record = effect.attempt.record
                    return "(\(effect.number), \(record.id), \(record.attempt), \(record.worker))"
                }))
    }
}

/// Survives the kills of a long run: its attempts do not run out.
private let stubborn = RetryPolicy(maximumAttempts: 100, base: .milliseconds(50), cap: .milliseconds(200))

/// Writes its effect in the transaction that ends it, and does nothing else.
struct DatabaseEffect: Job {
    static let name = "bench.database_effect"
    static let queue = Queue.analytics
    static let retry = stubborn
    static let isDatabaseOnly = true

    var number: Int

    func run(_ attempt: JobAttempt) async throws {
        let number = number
        try await attempt.settle { tx, _ in
            try Effect.write([Effect(number: number, attempt: attempt)], tx)
            return .completed
        }
    }
}

/// The same for several that were claimed together.
struct GroupEffect: Job {
    static let name = "bench.group_effect"
    static let queue = Queue.webhooks
    static let retry = stubborn
    static let isDatabaseOnly = true
    static let together: JobGroup<Self>? = { group, tx in
        try Effect.write(group.map { Effect(number: $0.job.number, attempt: $0.attempt) }, tx)
        return group.map { _ in .completed }
    }

    var number: Int

    func run(_ attempt: JobAttempt) async throws {
        let number = number
        try await attempt.settle { tx, _ in
            try Effect.write([Effect(number: number, attempt: attempt)], tx)
            return .completed
        }
    }
}

/// Works a few milliseconds before its effect, so that many are killed in between.
struct SlowEffect: Job {
    static let name = "bench.slow_effect"
    static let retry = stubborn

    var number: Int

    func run(_ attempt: JobAttempt) async throws {
        let number = number
        try await Task.sleep(for: .milliseconds(1 + number % 7))
        try await attempt.settle { tx, _ in
            try Effect.write([Effect(number: number, attempt: attempt)], tx)
            return .completed
        }
    }
}
