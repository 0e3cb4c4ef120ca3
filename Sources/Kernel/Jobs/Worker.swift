import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Claims jobs and runs them, as many of each queue at a time as that allows.
///
/// Wakes at a commit that enqueued something, when a waiting job becomes due,
/// and every ``poll`` as a backstop. On graceful shutdown it claims nothing
/// more and lets what runs finish.
package final class Worker: Service, Sendable {
    static let poll = Duration.seconds(2)
    /// How long a claim waits for the jobs of the one before it. Work that comes
    /// in meanwhile is claimed together, and one by one when there is little.
    static let pace = Duration.milliseconds(5)
    /// How long a busy worker goes on before it looks again for jobs that waited
    /// for their time.
    static let promotionPause = Duration.milliseconds(50)
    /// How many jobs share a transaction at most.
    static let groupLimit = 32

    /// How long a job without a handler here is left to other processes.
    static let patience = Duration.seconds(30)

    package let id: String
    let queues: [Queue]
    let slots: Int
    let lease: Duration
    let database: any Database
    let registry: JobRegistry
    let environment: Environment
    let running = Mutex<[ULID: Running]>([:])
    let processed = Mutex(0)
    let completions = Completions()
    let startedAt: Instant
    private let signal: Signal
    private let finished = Signal()

    struct Running: Sendable {
        let queue: String
        /// Raised to cancel the job.
        let stop: Signal
    }

    /// - Parameters:
    ///   - queues: those it takes from.
    ///   - slots: jobs of one queue at a time at most, whatever the queue allows.
    ///   - lease: how long a silent worker keeps its jobs; renewed every third of it.
    package init(
        database: any Database, registry: JobRegistry, environment: Environment,
        queues: [Queue] = Queue.all, slots: Int = 64, lease: Duration = .seconds(15)
    ) {
        self.database = database
        self.registry = registry
        self.environment = environment
        self.queues = queues
        self.slots = max(1, slots)
        self.lease = lease
        startedAt = environment.now()
        id = "wrk_" + Secrets.random(bytes: 9)
        signal = Signal()
    }

    package var activeJobs: Int { running.withLock(\.count) }

    package func run() async throws {
        await renewAndRescue()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [database, signal] in
                for await payload in database.listen(JobQueue.channel) {
                    // A job to cancel, or there is work.
                    if let id = ULID(payload) { self.cancel(id) } else { signal.raise() }
                }
            }
            group.addTask { await self.keepLeases() }
            // Shutdown ends the claims at once, but the loop only returns when its last
            // job has finished; until then leases are renewed.
            await withGracefulShutdownHandler {
                await self.claimLoop()
            } onGracefulShutdown: {
                self.signal.raise()
            }
            group.cancelAll()
        }
        await signOff()
    }

    /// What ``run()`` does, without waiting for anything: claims and runs jobs
    /// until none is due. For tests and one-shot commands.
    /// - Returns: how many attempts were made.
    @discardableResult
    package func drain() async throws -> Int {
        var count = 0
        while true {
            // What is cancelled is given back at once, and would be claimed for ever.
            try Task.checkCancellation()
            let records = try await claim(freeSlots)
            guard !records.isEmpty else { return count }
            count += records.count
            await withDiscardingTaskGroup { group in
                start(records, in: &group)
            }
        }
    }

    private var isEnding: Bool { Task.isShuttingDownGracefully || Task.isCancelled }

    private func claimLoop() async {
        await withDiscardingTaskGroup { group in
            // While there is work, jobs whose time has come need not be looked for at every claim.
            var lookedAt: ContinuousClock.Instant?
            while true {
                // Before everything that it announces is looked at.
                signal.lower()
                guard !isEnding else { return }
                let free = freeSlots
                var wait = Self.poll
                if free.contains(where: { $0.limit > 0 }) {
                    do {
                        let isDue = lookedAt.map { .now - $0 >= Self.promotionPause } ?? true
                        let records = try await claim(free, promoting: isDue)
                        if isDue { lookedAt = .now }
                        guard records.isEmpty else {
                            start(records, in: &group)
                            await finished.wait(atMost: Self.pace)
                            continue
                        }
                        if !isDue {
                            lookedAt = nil
                            continue
                        }
                        wait = try await untilNextDue()
                    } catch {
                        environment.logger.warning("claiming jobs failed", metadata: ["error": "\(error)"])
                        wait = .milliseconds(500)
                    }
                }
                await signal.wait(atMost: wait)
            }
        }
    }

    /// How many more of each queue may run.
    private var freeSlots: [(queue: String, limit: Int)] {
        let busy = running.withLock { running in
            running.values.reduce(into: [:]) { $0[$1.queue, default: 0] += 1 }
        }
        return queues.map { ($0.name, min($0.concurrency, slots) - (busy[$0.name] ?? 0)) }
    }

    /// Counts the jobs as running from here, so that the next claim knows the free slots.
    private func start(_ records: [JobRecord], in group: inout DiscardingTaskGroup) {
        running.withLock { running in
            for record in records { running[record.id] = Running(queue: record.queue, stop: Signal()) }
        }
        for (name, same) in Dictionary(grouping: records, by: \.name) {
            let size = registry[name]?.together == nil ? 1 : Self.groupLimit
            for start in stride(from: 0, to: same.count, by: size) {
                let part = Array(same[start..<min(start + size, same.count)])
                group.addTask { await self.perform(part) }
            }
        }
    }

    private func claim(_ limits: [(queue: String, limit: Int)], promoting: Bool = true) async throws
        -> [JobRecord]
    {
        let (id, lease, registry, environment) = (id, lease, registry, environment)
        return try await database.write { tx in
            let now = environment.now()
            let records = try JobQueue.claim(
                limits, worker: id, lease: now + lease, tx, now: now, promoting: promoting)
            guard !records.isEmpty else { return [] }
            if records.allSatisfy({ registry[$0.name]?.isDatabaseOnly == true }) { try tx.deferDurability() }
            let context = Context(actor: .system("worker"), surface: .job, environment: environment)
            for (name, same) in Dictionary(grouping: records, by: \.name) {
                try registry[name]?.claimed(same, tx, context)
            }
            return records
        }
    }

    private func untilNextDue() async throws -> Duration {
        guard let due = try await database.read({ try JobQueue.nextDue($0) }) else { return Self.poll }
        return min(Self.poll, max(due - environment.now(), .milliseconds(1)))
    }

    /// Runs claimed jobs of one name to an outcome each. Never throws.
    private func perform(_ records: [JobRecord]) async {
        defer {
            running.withLock { for record in records { $0[record.id] = nil } }
            processed.withLock { $0 += records.count }
            finished.raise()
            signal.raise()
        }
        if records.count == 1 { return await perform(records[0]) }
        if await performTogether(records) { return }
        await withDiscardingTaskGroup { group in
            for record in records { group.addTask { await self.perform(record) } }
        }
    }
}
