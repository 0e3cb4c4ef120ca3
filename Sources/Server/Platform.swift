import Features
package import Kernel
package import Logging
package import ServiceLifecycle
package import Storage

/// The composition root: everything that a process is made of, built once from
/// its configuration. A class, because surfaces carry it into every call.
package final class Platform: Sendable {
    package let configuration: Kernel.Configuration
    package let logger: Logger
    package let database: any Database
    package let features: [Feature]
    package let environment: Kernel.Environment
    package let keys: Keys
    package let runner: Runner
    package let recorder: AuditRecorder
    package let sealer: AuditSealer
    package let authenticator: Authenticator
    /// Knows people by their access tokens.
    let people: UserAuthenticator
    let cookies: SessionCookies
    package let ledger: WebhookLedger
    package let worker: Worker
    package let scheduler: Scheduler
    package let metrics: PrometheusMetrics
    package let startedAt: Instant

    /// Opens the database, applies migrations and wires the parts together.
    ///
    /// - Parameter patience: how long callers wait for jobs that show what came of their calls.
    /// - Throws: ``Failure`` when features contradict each other, ``Storage/StorageError``
    ///   when the database cannot be used.
    package static func open(
        _ configuration: Kernel.Configuration, logger: Logger, clients: Clients = .unimplemented,
        metrics: PrometheusMetrics = PrometheusMetrics(),
        now: @escaping @Sendable () -> Instant = { Instant.now() }, patience: Duration = .seconds(8)
    ) async throws -> Platform {
        let problems =
            Feature.check(allFeatures)
            + JobCheck.problems(allFeatures, configuration, expecting: timetable)
        guard problems.isEmpty else { throw Failure(.internal, problems.joined(separator: " ")) }
        let database = try await openDatabase(configuration, logger: logger)
        do {
            let applied = try await Migrator(allMigrations(allFeatures)).migrate(database)
            if !applied.isEmpty {
                logger.info("migrated", metadata: ["applied": "\(applied.joined(separator: ", "))"])
            }
            let keys = try Keys.load(configuration)
            let people = try await UserAuthenticator(database: database, secrets: keys.secrets)
            return Platform(
                configuration, logger: logger, clients: clients, database: database, metrics: metrics,
                now: now, keys: keys, people: people, patience: patience)
        } catch {
            await database.close()
            throw error
        }
    }

    private init(
        _ configuration: Kernel.Configuration, logger: Logger, clients: Clients, database: any Database,
        metrics: PrometheusMetrics, now: @escaping @Sendable () -> Instant, keys: Keys,
        people: UserAuthenticator, patience: Duration
    ) {
        self.configuration = configuration
        self.logger = logger
        self.database = database
        self.metrics = metrics
        features = allFeatures
        self.keys = keys
        self.people = people
        environment = Kernel.Environment(
            now: now, clients: clients, configuration: configuration, logger: logger,
            features: features, secrets: keys.secrets)
        recorder = AuditRecorder(database: database, signer: keys.signer, environment: environment)
        runner = Runner(
            catalog: OperationCatalog(features), database: database,
            limiter: RateLimiter(perMinute: configuration.ratePerMinute, burst: configuration.rateBurst),
            recorder: recorder, patience: patience)
        sealer = AuditSealer(database: database, signer: keys.signer, environment: environment)
        authenticator = Authenticator(database: database)
        cookies = SessionCookies(configuration)
        ledger = WebhookLedger(database: database)
        worker = Worker(
            database: database, registry: JobRegistry(features), environment: environment,
            queues: configuration.workerQueues ?? Queue.all, slots: configuration.workerSlots,
            lease: .seconds(configuration.jobLeaseSeconds))
        scheduler = Scheduler(features, database: database, environment: environment)
        startedAt = now()
    }

    /// What runs behind the surfaces, in the order in which it starts; it stops in the reverse.
    package var backgroundServices: [any Service] { [recorder, sealer, worker, scheduler] }

    /// The person whose access token it is.
    func person(_ token: String, _ now: Instant) async throws -> Actor {
        try await people.actor(token: token, at: now)
    }

    /// A context for the platform's own command line.
    package func context(_ actor: Actor, surface: Surface) -> Context {
        Context(actor: actor, surface: surface, environment: environment)
    }
}

/// The database that `configuration` names.
package func openDatabase(_ configuration: Kernel.Configuration, logger: Logger) async throws -> any Database
{
    var settings = DatabaseSettings()
    settings.poolSize = configuration.databasePoolSize
    let url: DatabaseURL
    if let text = configuration.databaseURL {
        url = try DatabaseURL(parsing: text)
    } else {
        try Folder.make(configuration.dataDirectory)
        url = .sqlite(configuration.dataDirectory + "/instainstru.sqlite")
    }
    return try await Storage.openDatabase(url, settings: settings, logger: logger)
}
