import FoundationEssentials
package import Logging
package import Storage

/// Databases for tests: real ones, fresh for each test.
package enum TestDatabase {
    private static let postgresURL = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"]

    /// What this run tests: SQLite always, PostgreSQL when `TEST_POSTGRES_URL` is
    /// set (see `Scripts/with-postgres`).
    package static let available: [Dialect] = postgresURL == nil ? [.sqlite] : [.sqlite, .postgres]

    /// Limits that suit many databases beside each other.
    package static var settings: DatabaseSettings {
        var settings = DatabaseSettings()
        settings.poolSize = 4
        settings.readers = 2
        return settings
    }

    /// An empty database: a file in a folder of its own, or a schema of its own.
    /// Closing it removes it.
    package static func make(
        _ dialect: Dialect, settings: DatabaseSettings = settings, logger: Logger = quiet
    ) async throws -> any Database {
        try await place(dialect).open(settings: settings, logger: logger)
    }

    /// A database on which `prepare` has run. On SQLite it runs once for each `key`,
    /// and every other test gets a copy of the file that it made.
    package static func make(
        _ dialect: Dialect, preparedAs key: String,
        _ prepare: @escaping @Sendable (any Database) async throws -> Void
    ) async throws -> any Database {
        guard dialect == .sqlite else {
            let database = try await make(dialect)
            try await prepare(database)
            return database
        }
        let file = try await PreparedFiles.shared.file(key, prepare)
        let place = try await place(dialect)
        guard case .sqlite(let path) = place.url else { return try await place.open() }
        // What was committed last may still stand in the log beside the file.
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: file + suffix) {
            try FileManager.default.copyItem(atPath: file + suffix, toPath: path + suffix)
        }
        return try await place.open()
    }

    /// A place for a database that may be opened more than once.
    package static func place(_ dialect: Dialect) async throws -> TestPlace {
        let name = "test_" + UUID().uuidString.lowercased().split(separator: "-").joined()
        switch dialect {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            return TestPlace(
                url: .sqlite(folder.appending(path: "test.sqlite").path), name: name, folder: folder)
        case .postgres:
            guard let base = postgresURL else {
                throw StorageError.connection("TEST_POSTGRES_URL is not set")
            }
            let admin = try await openDatabase(DatabaseURL(parsing: base), settings: single, logger: quiet)
            do {
                try await admin.write { _ = try $0.run("CREATE SCHEMA \(identifier: name)") }
            } catch {
                await admin.close()
                throw error
            }
            await admin.close()
            let separator = base.contains("?") ? "&" : "?"
            let url = try DatabaseURL(parsing: base + separator + "options=-csearch_path%3D" + name)
            return TestPlace(url: url, name: name, folder: nil)
        }
    }

    /// Opens the server's database itself, for what a test does as an operator.
    static func administrator() async throws -> any Database {
        guard let base = postgresURL else { throw StorageError.connection("TEST_POSTGRES_URL is not set") }
        return try await openDatabase(DatabaseURL(parsing: base), settings: single, logger: quiet)
    }

    /// Says nothing.
    package static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static var single: DatabaseSettings {
        var settings = DatabaseSettings()
        settings.poolSize = 1
        return settings
    }
}
