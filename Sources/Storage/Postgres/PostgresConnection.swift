import CPostgres

/// Opens connections of libpq.
enum PostgresConnection {
    /// Defaults that the URL may override: `dbname` comes last, and libpq takes
    /// the last value of each keyword.
    private static let defaults = [
        ("connect_timeout", "5"), ("client_encoding", "UTF8"), ("keepalives_idle", "30"),
        ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
    ]

    /// A connection that is ready, in UTC and with the limits of `settings`.
    ///
    /// Throws ``StorageError/connection(_:)``, without the password.
    static func open(_ url: DatabaseURL, _ text: String, _ settings: DatabaseSettings) throws -> OpaquePointer
    {
        var parameters = defaults
        parameters.append(("fallback_application_name", settings.applicationName))
        parameters.append(("dbname", text))
        let connection = withCStrings(parameters.map(\.0)) { keywords in
            withCStrings(parameters.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let connection else { throw StorageError.connection("out of memory") }
        do {
            guard PQstatus(connection) == CONNECTION_OK else { throw redacted(connection, url) }
            PQsetNoticeReceiver(connection, { _, _ in }, nil)
            try command(
                """
                SET TIME ZONE 'UTC'; SET DateStyle = ISO; SET client_min_messages = warning;
                SET default_transaction_read_only = on; SET bytea_output = hex;
                SET extra_float_digits = 1; SET standard_conforming_strings = on; SET jit = off;
                SET statement_timeout = \(settings.statementTimeout.milliseconds);
                SET idle_in_transaction_session_timeout = \(settings.idleInTransactionTimeout.milliseconds)
                """, on: connection)
        } catch {
            PQfinish(connection)
            throw error
        }
        return connection
    }

    /// Runs a text without values on a connection that is not in pipeline mode.
    static func command(_ text: String, on connection: OpaquePointer) throws {
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        guard let result else { throw PostgresError.connection(connection) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw PostgresError.translated(result) }
    }

    private static func redacted(_ connection: OpaquePointer, _ url: DatabaseURL) -> StorageError {
        var text = String(cString: PQerrorMessage(connection)).trimmed
        if let password = url.password, !password.isEmpty {
            text = text.split(separator: password, omittingEmptySubsequences: false).joined(separator: "***")
        }
        return .connection("cannot connect to \(url): \(text)")
    }

    /// Lends an array of C strings that ends in NULL.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(bytes.count)
            bytes.append(contentsOf: string.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            var pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
