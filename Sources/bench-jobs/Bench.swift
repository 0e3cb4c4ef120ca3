import Foundation
import Kernel
import Logging
import ServiceLifecycle
import Storage

/// The job engine over one database, with nothing around it.
struct Bench {
    static let feature = Feature(
        name: "bench", summary: "Jobs that measure.",
        jobs: [
            DatabaseEffect.self, GroupEffect.self, SlowEffect.self, Noop.self, WideNoop.self,
            DatabaseNoop.self, Stamp.self,
        ], migrations: [Effect.migration])

    let database: any Database
    let environment: Kernel.Environment
    let options: Options

    /// Opens `DATABASE_URL` and brings it to the schema.
    init(_ options: Options) async throws {
        let url = ProcessInfo.processInfo.environment["DATABASE_URL"] ?? "sqlite:bench-jobs.sqlite"
        var logger = Logger(label: "bench-jobs")
        logger.logLevel = .error
        var settings = DatabaseSettings()
        settings.poolSize = options.number("pool", settings.poolSize)
        // Other processes write to the same file here.
        settings.busyTimeout = .seconds(30)
        settings.maximumWait = .seconds(60)
        database = try await openDatabase(DatabaseURL(parsing: url), settings: settings, logger: logger)
        environment = Environment(configuration: Configuration(), logger: logger, features: [Self.feature])
        self.options = options
        try await Migrator(allMigrations([Self.feature])).migrate(database)
    }

    /// - Returns: whether there is such a verb.
    func run() async throws -> Bool {
        switch options.verb {
        case "migrate": break
        case "enqueue": try await enqueueEffects()
        case "work": try await work()
        case "noop": try await noops()
        case "latency": try await latency()
        case "claim": try await claims()
        case "ceiling": try await ceiling()
        case "history": try await history()
        default: return false
        }
        return true
    }

    func worker() -> Worker {
        Worker(
            database: database, registry: JobRegistry([Self.feature]), environment: environment,
            slots: options.number("slots", 64), lease: .seconds(options.number("lease", 15)))
    }

    /// Adds jobs, so many to a transaction.
    func enqueue(_ count: Int, _ add: @escaping @Sendable (Transaction, Int) throws -> Void) async throws {
        let size = options.number("batch", 500)
        for start in stride(from: 0, to: count, by: size) {
            let context = Context(actor: .system("bench"), surface: .job, environment: environment)
            try await database.transaction(context, category: .automated) { tx, _ in
                for number in start..<min(start + size, count) { try add(tx, number) }
            }
        }
    }

    /// Runs a worker for as long as `body` takes.
    func whileWorking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        let worker = worker()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await worker.run()
                return nil
            }
            group.addTask { try await body() }
            var value: Value?
            while value == nil, let next = try await group.next() { value = next }
            group.cancelAll()
            guard let value else { throw CancellationError() }
            return value
        }
    }

    func say(_ members: KeyValuePairs<String, Double>) {
        let fields = members.map { "\"\($0.key)\": \(($0.value * 10_000).rounded() / 10_000)" }
        print("{" + fields.joined(separator: ", ") + "}")
    }
}

/// The arguments: a verb, perhaps a number, then `--name value` pairs.
struct Options: Sendable {
    let verb: String
    let count: Int
    private let named: [String: Int]

    init(_ arguments: [String]) {
        verb = arguments.first ?? ""
        count = arguments.dropFirst().first.flatMap { Int($0) } ?? 0
        var named: [String: Int] = [:]
        for (name, value) in zip(arguments, arguments.dropFirst()) where name.hasPrefix("--") {
            named[String(name.dropFirst(2))] = Int(value)
        }
        self.named = named
    }

    func number(_ name: String, _ standard: Int) -> Int { named[name] ?? standard }
}

extension [Duration] {
    /// The value that this share of them does not exceed, in milliseconds.
    func percentile(_ share: Double) -> Double {
        guard !isEmpty else { return 0 }
        let index = Swift.min(count - 1, Int((Double(count) * share).rounded(.up)) - 1)
        return sorted()[Swift.max(0, index)] / .milliseconds(1)
    }
}
