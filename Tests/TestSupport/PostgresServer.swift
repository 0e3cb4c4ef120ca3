import FoundationEssentials
import Storage

/// The server of `TEST_POSTGRES_URL`, for what tests do as its operator.
enum PostgresServer {
    static let url = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"]

    private static func base() throws -> String {
        guard let url else { throw StorageError.connection("TEST_POSTGRES_URL is not set") }
        return url
    }

    static func run(_ statement: SQL) async throws {
        let database = try await openDatabase(
            DatabaseURL(parsing: base()), settings: settings, logger: TestDatabase.quiet)
        do {
            try await database.write { _ = try $0.run(statement) }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Runs a statement that must not be inside of a transaction, as those about whole
    /// databases: the server connects to itself for it.
    ///
    /// - Parameter text: an expression that gives the statement.
    private static func runAlone(_ text: SQL) async throws {
        try await run("SELECT dblink_exec(\(base()), \(text))")
    }

    static func url(schema: String) throws -> DatabaseURL {
        let base = try base()
        let separator = base.contains("?") ? "&" : "?"
        return try DatabaseURL(parsing: base + separator + "options=-csearch_path%3D" + schema)
    }

    static func url(database: String) throws -> DatabaseURL {
        guard var parts = URLComponents(string: try base()) else {
            throw StorageError.connection("TEST_POSTGRES_URL is no URL")
        }
        parts.path = "/" + database
        return try DatabaseURL(parsing: parts.string ?? "")
    }

    /// Makes a database: an empty one, or a copy of one that nobody is connected to.
    ///
    /// Copies files: the other way, which PostgreSQL has since 15 and prefers, writes every
    /// page to the log as well and takes twice as long.
    static func create(database: String, copying template: String?) async throws {
        let statement = "CREATE DATABASE \(database) TEMPLATE \(template ?? "template0")"
        try await runAlone(
            """
            \(statement) || CASE WHEN current_setting('server_version_num')::int >= 150000
            THEN ' STRATEGY file_copy' ELSE '' END
            """)
    }

    static func drop(database: String) async throws {
        try await runAlone("\("DROP DATABASE IF EXISTS \(database) WITH (FORCE)")")
    }

    /// Whether the server can make databases this way: it has the extension for it, and
    /// lets us in without asking for a password.
    static func prepare() async -> Bool {
        do {
            try await run("CREATE EXTENSION IF NOT EXISTS dblink")
            try await runAlone("'SET application_name TO test'")
            return true
        } catch { return false }
    }

    private static var settings: DatabaseSettings {
        var settings = DatabaseSettings()
        settings.poolSize = 1
        return settings
    }
}
