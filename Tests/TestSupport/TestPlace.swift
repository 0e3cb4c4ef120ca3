import FoundationEssentials
package import Logging
package import Storage

/// Where a test's database lives.
package struct TestPlace: Sendable {
    private enum Kind: Sendable {
        case folder(URL)
        case schema, database
    }

    package let url: DatabaseURL
    /// The schema's or the database's name on PostgreSQL.
    package let name: String
    private let kind: Kind

    private static func newName() -> String {
        "test_" + UUID().uuidString.lowercased().split(separator: "-").joined()
    }

    /// A folder for a file of SQLite.
    static func folder() throws -> TestPlace {
        let name = newName()
        let folder = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return TestPlace(
            url: .sqlite(folder.appending(path: "test.sqlite").path), name: name, kind: .folder(folder))
    }

    /// A schema of PostgreSQL.
    static func schema() async throws -> TestPlace {
        let name = newName()
        try await PostgresServer.run("CREATE SCHEMA \(identifier: name)")
        return TestPlace(url: try PostgresServer.url(schema: name), name: name, kind: .schema)
    }

    /// An empty place that can be copied; nil on a server where none can.
    static func empty(_ dialect: Dialect) async throws -> TestPlace? {
        switch dialect {
        case .sqlite: return try folder()
        case .postgres: return await PostgresServer.prepare() ? try await database(copying: nil) : nil
        }
    }

    private static func database(copying template: String?) async throws -> TestPlace {
        let name = newName()
        try await PostgresServer.create(database: name, copying: template)
        return TestPlace(url: try PostgresServer.url(database: name), name: name, kind: .database)
    }

    /// Another place with the same in it.
    func copy() async throws -> TestPlace {
        guard case .sqlite(let source) = url else { return try await Self.database(copying: name) }
        let place = try Self.folder()
        guard case .sqlite(let target) = place.url else { return place }
        // What was committed last may still stand in the log beside the file.
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: source + suffix) {
            try FileManager.default.copyItem(atPath: source + suffix, toPath: target + suffix)
        }
        return place
    }

    /// Opens it. Closing the database that `removes` says so removes the place.
    package func open(
        settings: DatabaseSettings = TestDatabase.settings, logger: Logger = TestDatabase.quiet,
        removes: Bool = true
    ) async throws -> any Database {
        let database = try await openDatabase(url, settings: settings, logger: logger)
        return removes ? TestPlaceDatabase(database, at: self) : database
    }

    /// Removes the folder, the schema or the database.
    package func remove() async {
        switch kind {
        case .folder: removeFolder()
        case .schema:
            try? await PostgresServer.run("DROP SCHEMA IF EXISTS \(identifier: name) CASCADE")
        case .database: try? await PostgresServer.drop(database: name)
        }
    }

    fileprivate func removeFolder() {
        if case .folder(let folder) = kind { try? FileManager.default.removeItem(at: folder) }
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
        place.removeFolder()
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
