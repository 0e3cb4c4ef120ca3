import GRDBSQLite

/// Cells of the present row where SQLite keeps them.
extension SQLiteCells {
    static func text(_ statement: OpaquePointer, _ column: Int32) throws -> UnsafeBufferPointer<UInt8>? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_TEXT:
            // In this order: asking for the text may change its length.
            let start = sqlite3_column_text(statement, column)
            return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
        case SQLITE_NULL: return nil
        default: throw unexpected("text", statement, column)
        }
    }

    static func blob(_ statement: OpaquePointer, _ column: Int32) throws -> UnsafeBufferPointer<UInt8>? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            let raw = UnsafeRawBufferPointer(
                start: start, count: Int(sqlite3_column_bytes(statement, column)))
            return raw.assumingMemoryBound(to: UInt8.self)
        case SQLITE_NULL: return nil
        default: throw unexpected("bytes", statement, column)
        }
    }

    static func int(_ statement: OpaquePointer, _ column: Int32) throws -> Int? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return Int(sqlite3_column_int64(statement, column))
        case SQLITE_NULL: return nil
        default: throw unexpected("an integer", statement, column)
        }
    }

    private static func unexpected(
        _ expected: String, _ statement: OpaquePointer, _ column: Int32
    ) -> StorageError {
        let name = sqlite3_column_name(statement, column).map { String(cString: $0) } ?? "\(column)"
        return .decode("column \(name): expected \(expected)")
    }
}
