import CPostgres

/// Where a database is.
///
/// Printing one never shows a password.
package enum DatabaseURL: Sendable, Equatable {
    /// A file.
    case sqlite(String)
    /// A connection URI of libpq with all its options, such as `sslmode`.
    case postgres(String)

    /// Reads `sqlite:path`, `sqlite:///path`, `postgres://…` and `postgresql://…`.
    ///
    /// Throws ``StorageError/connection(_:)`` that says what is wrong.
    package init(parsing text: String) throws {
        if text.hasPrefix("sqlite:") {
            var path = text.dropFirst("sqlite:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard !path.isEmpty else {
                throw StorageError.connection("the URL names no file: sqlite:path/to/file")
            }
            self = .sqlite(String(path))
        } else if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            var problem: UnsafeMutablePointer<CChar>?
            guard let options = PQconninfoParse(text, &problem) else {
                // libpq's text repeats the URL, with its password.
                PQfreemem(problem)
                throw StorageError.connection(
                    "the URL cannot be read; expected postgres://user:password@host:port/database?option=…"
                )
            }
            PQconninfoFree(options)
            self = .postgres(text)
        } else {
            throw StorageError.connection("a database URL begins with sqlite:, postgres:// or postgresql://")
        }
    }

    package var dialect: Dialect {
        switch self {
        case .sqlite: .sqlite
        case .postgres: .postgres
        }
    }

    /// The password in the URL.
    var password: String? {
        guard case .postgres(let text) = self, let options = PQconninfoParse(text, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "password" {
                return option.pointee.val.map { String(cString: $0) }
            }
            option += 1
        }
        return nil
    }
}

extension DatabaseURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres: Self.redacted(self)
        }
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["url": description]) }

    /// Rebuilt from what libpq understood, leaving every secret out.
    private static func redacted(_ url: DatabaseURL) -> String {
        guard case .postgres(let text) = url, let options = PQconninfoParse(text, nil) else {
            return "postgres://***"
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        var result = "postgres://"
        if let user = values["user"] { result += values["password"] == nil ? "\(user)@" : "\(user):***@" }
        result += values["host"] ?? ""
        if let port = values["port"] { result += ":\(port)" }
        result += "/" + (values["dbname"] ?? "")
        let shown = ["sslmode", "sslrootcert", "options", "target_session_attrs", "application_name"]
        let query = shown.compactMap { name in values[name].map { "\(name)=\($0)" } }
        return query.isEmpty ? result : result + "?" + query.joined(separator: "&")
    }
}
