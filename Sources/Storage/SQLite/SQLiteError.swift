import GRDB

/// Translates GRDB's errors.
enum SQLiteError {
    static func mapped<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw translated(error)
        }
    }

    private static func translated(_ error: DatabaseError) -> StorageError {
        let message = error.message ?? "SQLite result \(error.extendedResultCode.rawValue)"
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            return .uniqueViolation(message)
        case .SQLITE_CONSTRAINT_FOREIGNKEY: return .foreignKeyViolation(message)
        case .SQLITE_CONSTRAINT_CHECK: return .checkViolation(message)
        case .SQLITE_CONSTRAINT_NOTNULL: return .notNullViolation(message)
        case .SQLITE_CONSTRAINT_TRIGGER where message.contains(Migration.appendOnlyMark):
            return .appendOnly(message)
        default: break
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return .busy("another process holds the database's lock (\(message))")
        case .SQLITE_INTERRUPT: return .timeout("the statement ran longer than statementTimeout")
        case .SQLITE_READONLY: return .readOnly(message)
        case .SQLITE_CANTOPEN, .SQLITE_NOTADB, .SQLITE_IOERR: return .connection(message)
        default: return .other(code: "\(error.extendedResultCode.rawValue)", message: message)
        }
    }
}
