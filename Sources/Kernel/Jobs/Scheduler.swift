import Logging
import ServiceLifecycle
package import Storage

/// Enqueues jobs that run by the clock, each slot once however many processes
/// look.
///
/// `job_schedules` holds the last slot of every entry that was dealt with, and a
/// slot is taken by moving that forward under a lock on the row. A clock that is
/// wrong therefore changes when a slot runs, never how often. Slots that passed
/// while nobody looked are dealt with as the entry's ``JobSchedule/CatchUp`` says;
/// those that do not run count as missed. An entry that is new starts with its
/// next slot.
package final class Scheduler: Service, Sendable {
    /// How long at most it sleeps between two looks.
    static let longest = Duration.seconds(30)

    /// An entry with the job that it enqueues.
    struct Entry: Sendable {
        let schedule: JobSchedule
        let job: String
        let queue: String
        let enqueue: @Sendable (Transaction, _ uniqueKey: String) throws -> Bool
    }

    let entries: [Entry]
    private let database: any Database
    private let environment: Environment

    package init(_ features: [Feature], database: any Database, environment: Environment) {
        self.database = database
        self.environment = environment
        entries = Self.entries(features, environment.configuration).filter(\.schedule.isEnabled)
    }

    static func entries(_ features: [Feature], _ configuration: Configuration) -> [Entry] {
        entries(kernelJobs + features.flatMap(\.jobs), configuration)
    }

    static func entries(_ jobs: [any Job.Type], _ configuration: Configuration) -> [Entry] {
        func open<J: ScheduledJob>(_ type: J.Type) -> [Entry] {
            J.schedules(configuration).map { schedule in
                Entry(
                    schedule: schedule, job: J.name, queue: J.queue.name,
                    enqueue: { tx, key in try tx.enqueue(J(), uniqueKey: key) })
            }
        }
        return jobs.flatMap { type in
            (type as? any ScheduledJob.Type).map { open($0) } ?? []
        }.sorted { $0.schedule.name < $1.schedule.name }
    }

    package func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            do { try await tick() } catch {
                environment.logger.error("scheduling jobs failed", metadata: ["error": "\(error)"])
            }
            let wait = untilNextSlot()
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: wait) }
        }
    }

    private func untilNextSlot() -> Duration {
        let now = environment.now()
        let next = entries.compactMap { $0.schedule.cadence.next(after: now) }.min()
        guard let next else { return Self.longest }
        return max(.milliseconds(5), min(Self.longest, next - now))
    }

    /// One look at every entry. One that fails does not keep the others from
    /// running; the first failure is thrown at the end.
    /// - Returns: how many jobs were enqueued.
    @discardableResult
    package func tick() async throws -> Int {
        let context = Context(actor: .system("scheduler"), surface: .job, environment: environment)
        let known = try await lastSlots()
        var count = 0
        var failure: (any Error)?
        for entry in entries {
            do { count += try await look(at: entry, known[entry.schedule.name], context) } catch {
                environment.logger.error(
                    "scheduling a job failed",
                    metadata: ["entry": "\(entry.schedule.name)", "error": "\(error)"])
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return count
    }

    /// The last slot of every entry that was dealt with.
    private func lastSlots() async throws -> [String: Instant] {
        guard !entries.isEmpty else { return [:] }
        return try await database.read { db in
            let rows = try db.rows("SELECT entry, last_slot FROM job_schedules").map { row in
                (try row.get(at: 0, as: String.self), try row.get(at: 1, as: Instant.self))
            }
            return Dictionary(rows, uniquingKeysWith: { first, _ in first })
        }
    }

    private func look(at entry: Entry, _ known: Instant?, _ context: Context) async throws -> Int {
        guard let latest = entry.schedule.cadence.latest(at: context.now) else { return 0 }
        if let known, known >= latest { return 0 }
        return try await database.transaction(context, category: .automated) { tx, _ in
            try Self.take(entry, latest, context.now, tx)
        }
    }

    private static func take(_ entry: Entry, _ latest: Instant, _ now: Instant, _ tx: Transaction) throws
        -> Int
    {
        let name = entry.schedule.name
        let last: Instant? = try tx.value(
            "SELECT last_slot FROM job_schedules WHERE entry = \(name) \(.forUpdate)", as: Instant.self)
        guard let last else {
            try tx.run(
                """
                INSERT INTO job_schedules (entry, job, last_slot, missed) VALUES (\(name), \(entry.job), \
                \(latest), 0) ON CONFLICT DO NOTHING
                """)
            return 0
        }
        guard last < latest else { return 0 }
        let (due, passed) = slots(entry.schedule, after: last, through: latest)
        var added = 0
        for slot in due {
            // A sweep that still waits or runs covers the slot; each slot of the others is its own.
            let isOwn = if case .each = entry.schedule.catchUp { true } else { false }
            let key = isOwn ? "schedule:\(name):\(slot.microseconds)" : "schedule:\(name)"
            if try entry.enqueue(tx, key) { added += 1 }
        }
        let missed = passed - added
        let enqueuedAt: Instant? = added > 0 ? now : nil
        try tx.run(
            """
            UPDATE job_schedules SET last_slot = \(latest), job = \(entry.job), missed = missed + \(missed), \
            last_enqueued_at = COALESCE(\(enqueuedAt), last_enqueued_at) WHERE entry = \(name)
            """)
        return added
    }

    /// How many slots are counted one by one; a longer silence is a round number.
    private static let countLimit = 100_000

    /// The slots to run, oldest first, and how many passed in all.
    static func slots(
        _ schedule: JobSchedule, after last: Instant, through latest: Instant
    ) -> (due: [Instant], passed: Int) {
        let keep =
            switch schedule.catchUp {
            case .latest: 1
            case .each(let limit): max(1, limit)
            }
        var due: [Instant] = []
        var passed = 0
        var slot = schedule.cadence.next(after: last)
        while let next = slot, next <= latest, passed < countLimit {
            passed += 1
            due.append(next)
            if due.count > keep { due.removeFirst() }
            slot = schedule.cadence.next(after: next)
        }
        return (due, passed)
    }
}
