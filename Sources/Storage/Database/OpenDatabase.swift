package import Logging

/// Opens a database and its connections.
///
/// Throws ``StorageError/connection(_:)`` when it cannot be reached.
package func openDatabase(
    _ url: DatabaseURL, settings: DatabaseSettings = DatabaseSettings(), logger: Logger
) async throws -> any Database {
    switch url {
    case .sqlite(let path): try await SQLiteDatabase.open(path, settings)
    case .postgres(let text): try await PostgresDatabase.open(text, url, settings, logger)
    }
}
