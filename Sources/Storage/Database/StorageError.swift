/// What can go wrong in a database, the same for both.
///
/// The texts come from the database and may name tables and constraints; they
/// hold no values of rows, and are for logs and not for callers.
package enum StorageError: Error, Sendable, Equatable {
    case uniqueViolation(String)
    case foreignKeyViolation(String)
    case checkViolation(String)
    case notNullViolation(String)
    /// A trigger of ``Migration/appendOnly(_:_:)`` refused the change.
    case appendOnly(String)
    /// Another transaction came first, more often than the retries allow.
    case serialization(String)
    /// Another process holds the write lock of the file, or a row is locked.
    case busy(String)
    /// A limit on the time of a statement or a transaction was reached. What it
    /// had done is undone.
    case timeout(String)
    /// The connection failed. After a write this means that the outcome is
    /// unknown only if the text says so; it is never retried then.
    case connection(String)
    /// No connection became free in time; the text names the setting.
    case poolExhausted(String)
    /// The database was closed, or a snapshot was used after its closure.
    case closed
    /// A write was tried where only reads are allowed.
    case readOnly(String)
    /// A cell did not hold what the program expected.
    case decode(String)
    /// A bind that cannot be stored, such as text with U+0000.
    case invalidValue(String)
    /// The migrations of the database and of the program do not fit.
    case migration(String)
    /// Anything else, with the SQLSTATE or the SQLite result code.
    case other(code: String, message: String)

    /// Whether the database refused a statement, which ends a PostgreSQL
    /// transaction up to the last savepoint.
    var endsTransaction: Bool {
        switch self {
        case .decode, .invalidValue, .closed, .poolExhausted, .migration: false
        default: true
        }
    }

    /// Whether running the whole transaction again may succeed.
    var isWorthRepeating: Bool {
        switch self {
        case .serialization, .busy: true
        default: false
        }
    }
}

extension StorageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .uniqueViolation(let text): "unique violation: \(text)"
        case .foreignKeyViolation(let text): "foreign key violation: \(text)"
        case .checkViolation(let text): "check violation: \(text)"
        case .notNullViolation(let text): "not-null violation: \(text)"
        case .appendOnly(let text): text
        case .serialization(let text): "could not be serialized: \(text)"
        case .busy(let text): "busy: \(text)"
        case .timeout(let text): "timed out: \(text)"
        case .connection(let text): "connection: \(text)"
        case .poolExhausted(let text): text
        case .closed: "the database is closed"
        case .readOnly(let text): "read only: \(text)"
        case .decode(let text): text
        case .invalidValue(let text): text
        case .migration(let text): text
        case .other(let code, let message): "[\(code)] \(message)"
        }
    }
}
