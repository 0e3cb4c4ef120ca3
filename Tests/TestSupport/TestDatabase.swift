import FoundationEssentials
package import Logging
package import Storage

/// Databases for tests: real ones, fresh for each test.
package enum TestDatabase {
    /// What this run tests: SQLite always, PostgreSQL when `TEST_POSTGRES_URL` is
    /// set (see `Scripts/with-postgres`).
    package static let available: [Dialect] = PostgresServer.url == nil ? [.sqlite] : [.sqlite, .postgres]

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

    /// A database on which `prepare` has run: once for each `key`, and every test gets a copy
    /// of what it made.
    package static func make(
        _ dialect: Dialect, preparedAs key: String,
        _ prepare: @escaping @Sendable (any Database) async throws -> Void
    ) async throws -> any Database {
        guard let original = try await PreparedPlaces.shared.place(dialect, key, prepare) else {
            let database = try await make(dialect)
            try await prepare(database)
            return database
        }
        return try await original.copy().open()
    }

    /// A place for a database that may be opened more than once.
    package static func place(_ dialect: Dialect) async throws -> TestPlace {
        switch dialect {
        case .sqlite: try TestPlace.folder()
        case .postgres: try await TestPlace.schema()
        }
    }

    /// Says nothing.
    package static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
