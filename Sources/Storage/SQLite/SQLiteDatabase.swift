import GRDB

/// A SQLite file: one thread that writes, a few that read.
///
/// Writes that wait together share one commit (``SQLiteWriter``). Several
/// processes may open the file; each then waits up to
/// ``DatabaseSettings/busyTimeout`` for the other's commits, and notifications
/// reach listeners of the same process only.
final class SQLiteDatabase: Database {
    private let writes: WorkQueue<WriteJob>
    private let reads: WorkQueue<Job<Snapshot>>
    private let hub = ChannelHub(isAlwaysLive: true)
    private let threads = ThreadGroup()
    private let counters: Counters

    var dialect: Dialect { .sqlite }

    /// Opens the file, which is created if need be, and its connections.
    static func open(_ path: String, _ settings: DatabaseSettings) async throws -> SQLiteDatabase {
        guard !path.isEmpty, !path.hasPrefix(":memory:"), !path.hasPrefix("file:") else {
            throw StorageError.connection("SQLite needs the path of a file: its connections must share it")
        }
        let database = SQLiteDatabase(settings)
        do {
            try await database.start(path, settings)
        } catch {
            await database.close()
            throw error
        }
        return database
    }

    private init(_ settings: DatabaseSettings) {
        let wait = settings.maximumWait
        counters = Counters(poolSize: settings.readers + 1)
        writes = WorkQueue(limit: settings.maximumWaiting, maximumWait: wait) { job, waiting in
            job.job.fail(
                StorageError.poolExhausted(
                    "the SQLite writer was busy for \(wait) with \(waiting) waiting (maximumWait)"))
        }
        reads = WorkQueue(limit: settings.maximumWaiting, maximumWait: wait) { job, waiting in
            job.fail(
                StorageError.poolExhausted(
                    "all \(settings.readers) SQLite readers were busy for \(wait) with \(waiting) waiting; "
                        + "raise readers"
                ))
        }
    }

    deinit {
        writes.close()
        reads.close()
        hub.finish()
    }

    private func start(_ path: String, _ settings: DatabaseSettings) async throws {
        try threads.start(named: "sqlite-watch-w") { [writes] in writes.watch() }
        try threads.start(named: "sqlite-watch-r") { [reads] in reads.watch() }
        try await startWorker("sqlite-w", settings) {
            try SQLiteConnection.openWriter(path, settings)
        } serve: { [writes, hub, counters] session in
            SQLiteWriter(session: session, queue: writes, hub: hub, counters: counters, settings: settings)
                .serve()
        }
        for index in 0..<max(1, settings.readers) {
            try await startWorker("sqlite-r\(index)", settings) {
                try SQLiteConnection.openReader(path, settings)
            } serve: { [reads, counters] session in
                SQLiteReader(session: session, queue: reads, counters: counters).serve()
            }
        }
    }

    /// Starts a thread and returns once its connection is open. The thread stays
    /// inside GRDB's queue, so no job pays for entering it.
    private func startWorker(
        _ name: String, _ settings: DatabaseSettings, open: @escaping @Sendable () throws -> DatabaseQueue,
        serve: @escaping @Sendable (SQLiteSession) -> Void
    ) async throws {
        try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
            do {
                try threads.start(named: name) {
                    do {
                        let queue = try open()
                        opened.resume()
                        queue.inDatabase { database in
                            let session = SQLiteSession(database, statementTimeout: settings.statementTimeout)
                            serve(session)
                            session.close()
                        }
                    } catch {
                        opened.resume(throwing: error)
                    }
                }
            } catch {
                opened.resume(throwing: error)
            }
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Snapshot) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { caller in
            let job = Job(body, resuming: caller)
            do { try reads.push(job) } catch { job.fail(error) }
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws
        -> Value
    {
        try await submit(body, isRehearsal: false)
    }

    func rehearse<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await submit(body, isRehearsal: true)
    }

    private func submit<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value, isRehearsal: Bool
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { caller in
            let job = Job(body, resuming: caller)
            do { try writes.push(WriteJob(job: job, isRehearsal: isRehearsal)) } catch { job.fail(error) }
        }
    }

    func listen(_ channel: String) -> AsyncStream<String> { hub.subscribe(channel) }

    var statistics: DatabaseStatistics {
        var statistics = counters.current
        let (writing, reading) = (writes.load, reads.load)
        statistics.busy = writing.busy + reading.busy
        statistics.waiting = writing.waiting + reading.waiting
        return statistics
    }

    func close() async {
        writes.close()
        reads.close()
        await threads.wait()
        hub.finish()
    }
}
