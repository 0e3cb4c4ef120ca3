import Dispatch
import Storage
import TestSupport
import Testing

/// Runs `body` on an empty database and removes it.
func withDatabase(
    _ dialect: Dialect, settings: DatabaseSettings = TestDatabase.settings,
    _ body: (any Database) async throws -> Void
) async throws {
    let database = try await TestDatabase.make(dialect, settings: settings)
    do {
        try await body(database)
    } catch {
        await database.close()
        throw error
    }
    await database.close()
}

extension Database {
    func run(_ sql: SQL) async throws { try await write { _ = try $0.run(sql) } }

    func value<Value: SQLDecodable>(_ sql: SQL, as: Value.Type = Value.self) async throws -> Value? {
        try await read { try $0.value(sql) }
    }
}

/// Blocks a database's thread until a test opens it. A test waits for the
/// arrival with ``arrived()``.
final class Gate: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (arrivals, arrival) = AsyncStream.makeStream() }

    func pass() {
        arrival.yield()
        gate.wait()
        gate.signal()
    }

    func open() { gate.signal() }

    func arrived() async { for await _ in arrivals { return } }
}

/// A channel that no other test uses, with a name that must be quoted.
func uniqueChannel() -> String { "jobs.\"\(UInt64.random(in: 0...UInt64.max))\"" }

/// What a test throws.
struct Thrown: Error, Equatable {
    var number = 0
}
