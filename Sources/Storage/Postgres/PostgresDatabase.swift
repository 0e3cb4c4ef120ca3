import CPostgres
import Logging

/// A PostgreSQL database: a pool of threads that own a connection each.
final class PostgresDatabase: Database {
    private let queue: WorkQueue<PostgresWorker.Work>
    private let hub = ChannelHub(isAlwaysLive: false)
    private let listener: PostgresListener
    private let threads = ThreadGroup()
    private let counters: Counters

    var dialect: Dialect { .postgres }

    /// Starts the pool and waits for its first connection.
    static func open(
        _ text: String, _ url: DatabaseURL, _ settings: DatabaseSettings, _ logger: Logger
    ) async throws -> PostgresDatabase {
        let connect: @Sendable () throws -> OpaquePointer = {
            try PostgresConnection.open(url, text, settings)
        }
        let database = PostgresDatabase(settings, connect, logger)
        do {
            try database.threads.start(named: "pg-watch") { [queue = database.queue] in queue.watch() }
            for index in 0..<max(1, settings.poolSize) {
                try database.threads.start(named: "pg-\(index)") {
                    [queue = database.queue, counters = database.counters] in
                    PostgresWorker(queue: queue, counters: counters, settings: settings, logger: logger) {
                        try PostgresSession(try connect())
                    }.serve()
                }
            }
            _ = try await database.read { try $0.value("SELECT 1", as: Int.self) }
        } catch {
            await database.close()
            throw error
        }
        return database
    }

    private init(
        _ settings: DatabaseSettings, _ connect: @escaping @Sendable () throws -> OpaquePointer,
        _ logger: Logger
    ) {
        let (size, wait) = (settings.poolSize, settings.maximumWait)
        counters = Counters(poolSize: size)
        listener = PostgresListener(hub: hub, threads: threads, logger: logger, connect: connect)
        queue = WorkQueue(limit: settings.maximumWaiting, maximumWait: wait) { work, waiting in
            work.fail(
                StorageError.poolExhausted(
                    "all \(size) PostgreSQL connections were busy for \(wait) with \(waiting) waiting; "
                        + "raise poolSize, or find what holds them"))
        }
    }

    deinit {
        queue.close()
        listener.stop()
        hub.finish()
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Snapshot) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { caller in push(.read(Job(body, resuming: caller))) }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { caller in
            push(.write(WriteJob(job: Job(body, resuming: caller), isRehearsal: false)))
        }
    }

    func rehearse<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { caller in
            push(.write(WriteJob(job: Job(body, resuming: caller), isRehearsal: true)))
        }
    }

    private func push(_ work: PostgresWorker.Work) {
        do { try queue.push(work) } catch { work.fail(error) }
    }

    func listen(_ channel: String) -> AsyncStream<String> {
        let stream = hub.subscribe(channel)
        listener.wake()
        return stream
    }

    var statistics: DatabaseStatistics {
        var statistics = counters.current
        (statistics.busy, statistics.waiting) = queue.load
        return statistics
    }

    func close() async {
        queue.close()
        listener.stop()
        await threads.wait()
        hub.finish()
    }
}
