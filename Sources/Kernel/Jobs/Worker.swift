import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Claims due jobs and runs them, as many at a time as it has slots.
///
/// Wakes at a commit that enqueued something, when a waiting job becomes due,
/// and every ``poll`` as a backstop. On graceful shutdown it claims nothing
/// more and lets what runs finish.
package final class Worker: Service, Sendable {
    static let poll = Duration.seconds(2)
    /// How long a claim waits for the jobs of the one before it. Work that comes
    /// in meanwhile is claimed together, and one by one when there is little.
    static let pace = Duration.milliseconds(5)
    /// How many jobs share a transaction at most.
    static let groupLimit = 32

    let id: String
    private let slots: Int
    private let lease: Duration
    private let database: any Database
    private let registry: JobRegistry
    private let environment: Environment
    private let running = Mutex<[ULID: Void]>([:])
    private let signal: Signal
    private let finished = Signal()

    /// - Parameters:
    ///   - slots: jobs at a time in this process.
    ///   - lease: how long a silent worker keeps its jobs; renewed every third of it.
    package init(
        database: any Database, registry: JobRegistry, environment: Environment, slots: Int = 64,
        lease: Duration = .seconds(15)
    ) {
        self.database = database
        self.registry = registry
        self.environment = environment
        self.slots = slots
        self.lease = lease
        id = "wrk_" + Secrets.random(bytes: 9)
        signal = Signal()
    }

    package var activeJobs: Int { running.withLock(\.count) }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [database, signal] in
                for await _ in database.listen(JobQueue.channel) { signal.raise() }
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
    }

    /// What ``run()`` does, without waiting for anything: claims and runs jobs
    /// until none is due. For tests and one-shot commands.
    /// - Returns: how many attempts were made.
    @discardableResult
    package func drain() async throws -> Int {
        var count = 0
        while true {
            let records = try await claim(slots)
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
            while true {
                // Before everything that it announces is looked at.
                signal.lower()
                guard !isEnding else { return }
                let free = slots - activeJobs
                var wait = Self.poll
                if free > 0 {
                    do {
                        let records = try await claim(free)
                        guard records.isEmpty else {
                            start(records, in: &group)
                            await finished.wait(atMost: Self.pace)
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

    /// Counts the jobs as running from here, so that the next claim knows the free slots.
    private func start(_ records: [JobRecord], in group: inout DiscardingTaskGroup) {
        running.withLock { for record in records { $0[record.id] = () } }
        for (name, same) in Dictionary(grouping: records, by: \.name) {
            let size = registry[name]?.together == nil ? 1 : Self.groupLimit
            for start in stride(from: 0, to: same.count, by: size) {
                let part = Array(same[start..<min(start + size, same.count)])
                group.addTask { await self.perform(part) }
            }
        }
    }

    private func claim(_ limit: Int) async throws -> [JobRecord] {
        let (id, lease, registry, environment) = (id, lease, registry, environment)
        return try await database.write { tx in
            let now = environment.now()
            let records = try JobQueue.claim(limit, worker: id, lease: now + lease, tx, now: now)
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

    /// Runs claimed jobs of one name to an outcome each: in one transaction if
    /// that succeeds, otherwise each by itself. Never throws.
    private func perform(_ records: [JobRecord]) async {
        defer {
            running.withLock { for record in records { $0[record.id] = nil } }
            finished.raise()
            signal.raise()
        }
        if records.count > 1, await performTogether(records) { return }
        await withDiscardingTaskGroup { group in
            for record in records { group.addTask { await self.perform(record) } }
        }
    }

    /// - Returns: whether all of them have ended.
    private func performTogether(_ records: [JobRecord]) async -> Bool {
        guard let entry = registry[records[0].name], let together = entry.together else { return false }
        let claimed = records.map { ($0, context($0)) }
        do {
            try await withTimeout(entry.timeout) { [database] in try await together(claimed, database) }
            return true
        } catch {
            environment.logger.info(
                "jobs that were to share a transaction run one by one",
                metadata: ["name": "\(records[0].name)", "count": "\(records.count)", "error": "\(error)"])
            return false
        }
    }

    private func context(_ record: JobRecord) -> Context {
        Context(
            actor: .system(record.name), surface: .job, requestID: record.requestID, traceID: record.traceID,
            environment: environment)
    }

    /// Runs one claimed job to an outcome; never throws.
    private func perform(_ record: JobRecord) async {
        let context = context(record)
        guard let entry = registry[record.name] else {
            await giveUp(record, "no handler is registered for '\(record.name)'", context)
            return
        }
        let attempt: JobAttempt
        let work: @Sendable () async throws -> Void
        do { (attempt, work) = try entry.attempt(record, context, database) } catch {
            await giveUp(record, "the payload cannot be read: \(error)", context)
            return
        }
        do {
            try await withTimeout(entry.timeout, work)
            if !attempt.isSettled { try await attempt.settle { _, _ in .completed } }
        } catch is LeaseLost {
            context.logger.warning("a job was taken over", metadata: ["id": "\(record.id)"])
        } catch {
            guard !attempt.isSettled else { return }
            let message = (error as? Failure)?.message ?? "\(error)"
            context.logger.warning("a job failed", metadata: ["id": "\(record.id)", "error": "\(message)"])
            let retries = (error as? Failure)?.isRetryable ?? true
            try? await attempt.settle { _, _ in retries ? .retry(error: message) : .discard(error: message) }
        }
    }

    private func giveUp(_ record: JobRecord, _ reason: String, _ context: Context) async {
        context.logger.error("a job is discarded", metadata: ["id": "\(record.id)", "error": "\(reason)"])
        _ = try? await database.write { tx in
            try JobQueue.settle(
                record, .discard(error: reason), RetryPolicy(), tx, now: context.environment.now())
        }
    }
}

// Leases: renewing our own and taking over those that ran out.
extension Worker {
    private func keepLeases() async {
        while !Task.isCancelled {
            await renewAndRescue()
            try? await Task.sleep(for: lease / 3)
        }
    }

    /// One round; also called by tests in place of waiting.
    package func renewAndRescue() async {
        let ids = running.withLock { Array($0.keys) }
        let (id, lease, environment, registry, database) = (id, lease, environment, registry, database)
        do {
            let lost = try await database.write { tx in
                let now = environment.now()
                if !ids.isEmpty { try JobQueue.heartbeat(ids, worker: id, lease: now + lease, tx) }
                return try JobQueue.rescue(tx, now: now)
            }
            for record in lost {
                let context = context(record)
                guard let (attempt, _) = try? registry[record.name]?.attempt(record, context, database) else {
                    await giveUp(record, "no handler can read '\(record.name)'", context)
                    continue
                }
                try await attempt.settle { _, _ in .discard(error: "the worker stopped without finishing") }
            }
        } catch {
            environment.logger.warning("renewing leases failed", metadata: ["error": "\(error)"])
        }
    }
}

/// Runs `work` and cancels it when it takes longer than `limit`.
func withTimeout(_ limit: Duration, _ work: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: limit)
            throw Failure(.unavailable, "The job took longer than \(limit).", reason: "job_timeout")
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
