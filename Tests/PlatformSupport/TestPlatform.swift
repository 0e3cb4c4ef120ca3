import Features
import JSON
package import Kernel
package import Logging
package import Storage
import Synchronization
import TestSupport

/// The whole product on a fresh, migrated database, without its surfaces: a
/// clock that stands still, ids that count up, and every background part
/// driven by hand.
package final class TestPlatform: Sendable {
    package static let stripeSecret = "whsec_test_0123456789abcdef"
    package static let checkrKey = "checkr-test-key"
    package static let checkrUser = "checkr"
    package static let checkrPassword = "correct horse"
    package static let logName = "test.example/audit"

    package let database: ProbeDatabase
    package let clock = TestClock()
    package let environment: Environment
    package let features: [Feature]
    package let runner: Runner
    package let recorder: AuditRecorder
    package let sealer: AuditSealer
    package let signer: NoteSigner
    package let ledger: WebhookLedger
    package let registry: JobRegistry
    package let worker: Worker

    /// An administrator who may read and write, and one who may only read.
    package let admin = Actor(
        type: .mcp, id: "01JADM0000000000000000ADMN", email: "ada@example.com", name: "ada's token",
        scopes: [.read, .write], roles: ["admin"])
    package let reader = Actor(
        type: .mcp, id: "01JADM0000000000000000READ", email: "rex@example.com", name: "rex's token",
        scopes: [.read], roles: ["admin"])

    /// - Parameters:
    ///   - extra: features of the test, beside the product's.
    ///   - clients: the outside world; every call fails unless the test declares it.
    ///   - configure: changes the settings, e.g. the rate limit.
    package init(
        _ dialect: Dialect, extra: [Feature] = [], logger: Logger = TestDatabase.quiet,
        clients: Clients = .unimplemented, configure: (inout Configuration) -> Void = { _ in }
    ) async throws {
        var configuration = Configuration()
        configuration.stripeWebhookSecret = Self.stripeSecret
        configuration.checkrAPIKey = Self.checkrKey
        configuration.checkrWebhookUser = Self.checkrUser
        configuration.checkrWebhookPass = Self.checkrPassword
        configuration.gitSHA = "0123abc"
        configuration.ratePerMinute = 0
        configure(&configuration)
        features = allFeatures + extra
        let problems = Feature.check(features)
        guard problems.isEmpty else { throw Failure(.internal, problems.joined(separator: " ")) }
        guard let signer = NoteSigner(name: Self.logName, seed: [UInt8](repeating: 7, count: 32)) else {
            throw Failure(.internal, "no signer")
        }
        self.signer = signer
        let counter = Counter()
        environment = Environment(
            now: { [clock] in clock.now }, ids: ULIDGenerator(clock: { 0 }, random: { counter.next() }),
            clients: clients, configuration: configuration, logger: logger, features: features)
        let migrations = allMigrations(features)
        database = ProbeDatabase(
            try await TestDatabase.make(dialect, preparedAs: migrations.map(\.id).joined(separator: " ")) {
                try await Migrator(migrations).migrate($0)
            })
        recorder = AuditRecorder(database: database, signer: signer, environment: environment)
        runner = Runner(
            catalog: OperationCatalog(features), database: database,
            limiter: RateLimiter(perMinute: configuration.ratePerMinute, burst: configuration.rateBurst),
            recorder: recorder)
        sealer = AuditSealer(database: database, signer: signer, environment: environment)
        ledger = WebhookLedger(database: database)
        registry = JobRegistry(features)
        worker = Worker(database: database, registry: registry, environment: environment, slots: 8)
    }

    /// Opens a platform, runs `body` and removes the platform's database.
    package static func with(
        _ dialect: Dialect, extra: [Feature] = [], logger: Logger = TestDatabase.quiet,
        clients: Clients = .unimplemented, configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestPlatform) async throws -> Void
    ) async throws {
        await PlatformLimit.shared.enter()
        do {
            let platform = try await TestPlatform(
                dialect, extra: extra, logger: logger, clients: clients, configure: configure)
            do { try await body(platform) } catch {
                await platform.database.close()
                throw error
            }
            await platform.database.close()
        } catch {
            await PlatformLimit.shared.leave()
            throw error
        }
        await PlatformLimit.shared.leave()
    }

    package var now: Instant { clock.now }

    package func advance(by duration: Duration) { clock.advance(by: duration) }

    /// A context as a surface makes it.
    package func context(_ actor: Actor? = nil, surface: Surface = .mcp) -> Context {
        Context(
            actor: actor ?? admin, surface: surface, client: ClientInfo(name: "test", version: "1"),
            ip: "192.0.2.1", userAgent: "test/1", environment: environment)
    }
}

/// Stands for randomness in ids.
private final class Counter: Sendable {
    private let value = Mutex<UInt64>(0)

    func next() -> UInt64 {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
