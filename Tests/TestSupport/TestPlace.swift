import FoundationEssentials
package import Logging
package import Storage

/// Where a test's database lives.
package struct TestPlace: Sendable {
    package let url: DatabaseURL
    /// The schema's name on PostgreSQL.
    package let name: String
    let folder: URL?

    /// Opens it. Closing the database that `removes` says so removes the place.
    package func open(
        settings: DatabaseSettings = TestDatabase.settings, logger: Logger = TestDatabase.quiet,
        removes: Bool = true
    ) async throws -> any Database {
        let database = try await openDatabase(url, settings: settings, logger: logger)
        return removes ? TestPlaceDatabase(database, at: self) : database
    }

    /// Removes the folder or the schema.
    package func remove() async {
        if let folder { return (try? FileManager.default.removeItem(at: folder)) ?? () }
        guard let administrator = try? await TestDatabase.administrator() else { return }
        try? await administrator.write { _ = try $0.run("DROP SCHEMA IF EXISTS \(identifier: name) CASCADE") }
        await administrator.close()
    }
}

/// A database that removes its place when it is closed.
private final class TestPlaceDatabase: Database {
    private let base: any Database
    private let place: TestPlace

    init(_ base: any Database, at place: TestPlace) {
        self.base = base
        self.place = place
    }

    deinit {
        // A test that forgot to close leaves no file behind.
        if let folder = place.folder { try? FileManager.default.removeItem(at: folder) }
    }

    var dialect: Dialect { base.dialect }
    var statistics: DatabaseStatistics { base.statistics }
    func listen(_ channel: String) -> AsyncStream<String> { base.listen(channel) }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Snapshot) throws -> Value) async throws -> Value {
        try await base.read(body)
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws
        -> Value
    {
        try await base.write(body)
    }

    func rehearse<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await base.rehearse(body)
    }

    func close() async {
        await base.close()
        await place.remove()
    }
}
