import Kernel
import Storage

// What `Benchmarks/run.py` asks for. Each prints one line of JSON.
extension Bench {
    /// `noop N [--kind 0|1|2]`: how many jobs a second that do nothing: on the
    /// standard queue, on the widest, and without a wait for the disk.
    func noops() async throws {
        let kind = options.number("kind", 0)
        try await enqueue(options.count) { tx, _ in
            switch kind {
            case 0: try tx.enqueue(Noop())
            case 1: try tx.enqueue(WideNoop())
            default: try tx.enqueue(DatabaseNoop())
            }
        }
        let (database, count) = (database, options.count)
        let start = ContinuousClock.now
        let took = try await whileWorking {
            while Marks.shared.runs < count { try await Task.sleep(for: .milliseconds(1)) }
            let left: SQL = "SELECT 1 FROM jobs WHERE state IN ('available', 'running') LIMIT 1"
            while try await database.read({ try !$0.rows(left).isEmpty }) {
                try await Task.sleep(for: .milliseconds(1))
            }
            return ContinuousClock.now - start
        }
        say(["per_second": Double(count) / (took / .seconds(1)), "seconds": took / .seconds(1)])
    }

    /// `latency N`: from the call that enqueues, its commit included, to the start
    /// of the job, with nothing else to do.
    func latency() async throws {
        let count = options.count
        try await whileWorking {
            try await Task.sleep(for: .milliseconds(500))
            for sent in 0..<count {
                try await enqueue(1) { tx, _ in try tx.enqueue(Stamp(sent: Instant.now())) }
                while Marks.shared.starts.count <= sent { try await Task.sleep(for: .milliseconds(1)) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...60)))
            }
        }
        let starts = Marks.shared.starts
        say([
            "p50_ms": starts.percentile(0.5), "p99_ms": starts.percentile(0.99),
            "most_ms": starts.percentile(1),
        ])
    }

    /// `claim N`: what one claim of eight jobs takes with the jobs that wait now.
    /// Each round's jobs are completed, and as many are added, outside the clock.
    func claims() async throws {
        let (environment, clock) = (environment, ContinuousClock())
        var times: [Duration] = []
        for round in 0..<options.count {
            let start = clock.now
            let jobs = try await database.write { tx in
                let now = environment.now()
                return try JobQueue.claim(
                    Queue.all.map { ($0.name, 8) }, worker: "bench", lease: now + .seconds(60), tx, now: now)
            }
            // The first prepare statements and warm the cache.
            if round >= options.count / 10 { times.append(clock.now - start) }
            _ = try await database.write { tx in
                try tx.run("DELETE FROM jobs WHERE id \(in: jobs.map(\.id.description))")
            }
            try await enqueue(jobs.count) { tx, _ in try tx.enqueue(Noop()) }
        }
        say(["p50_ms": times.percentile(0.5), "p99_ms": times.percentile(0.99)])
    }

    /// `ceiling N [--loops n] [--size n]`: the bare loop that takes and deletes
    /// jobs, so many at a time, in two transactions each.
    func ceiling() async throws {
        let (loops, size) = (options.number("loops", 8), options.number("size", 1))
        try await enqueue(options.count) { tx, _ in try tx.enqueue(Noop()) }
        let database = database
        let start = ContinuousClock.now
        let lease = Instant.now() + .seconds(60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<loops {
                group.addTask {
                    while true {
                        let ids: [String] = try await database.write { tx in
                            try tx.values(
                                """
                                UPDATE jobs SET state = 'running', lease_until = \(lease) WHERE id IN (
                                    SELECT id FROM jobs WHERE state = 'available' AND queue = 'celery'
                                    ORDER BY priority DESC, run_at, id LIMIT \(size) \(.skipLocked))
                                RETURNING id
                                """)
                        }
                        if ids.isEmpty { return }
                        _ = try await database.write { tx in
                            try tx.run("DELETE FROM jobs WHERE id \(in: ids)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let took = ContinuousClock.now - start
        say(["per_second": Double(options.count) / (took / .seconds(1)), "seconds": took / .seconds(1)])
    }
}
