import GRDBSQLite

/// Moves values between ``SQLValue`` and a statement of SQLite's C interface.
enum SQLiteCells {
    /// Resets the statement and binds its values by position.
    ///
    /// Throws as ``SQLText`` does.
    static func bind(_ binds: [SQLBind], to statement: OpaquePointer) throws {
        // Its result is that of the last run, which was reported then.
        sqlite3_reset(statement)
        var position: Int32 = 0
        for bind in binds {
            position += 1
            let code =
                switch bind.value {
                case .null: sqlite3_bind_null(statement, position)
                case .int(let value): sqlite3_bind_int64(statement, position, value)
                case .double(let value): sqlite3_bind_double(statement, position, value)
                case .bool(let value): sqlite3_bind_int64(statement, position, value ? 1 : 0)
                case .text(let value): try self.bind(value, bind.type, to: statement, position)
                case .bytes(let value):
                    value.withUnsafeBytes {
                        // A null pointer would bind NULL.
                        $0.isEmpty
                            ? sqlite3_bind_zeroblob(statement, position, 0)
                            : sqlite3_bind_blob64(
                                statement, position, $0.baseAddress, UInt64($0.count), copied)
                    }
                }
            guard code == SQLITE_OK else {
                throw StorageError.other(code: "\(code)", message: "cannot bind value \(position)")
            }
        }
    }

    /// Appends the cells of the present row.
    static func append(_ statement: OpaquePointer, _ count: Int, to cells: inout [SQLValue]) {
        for column in 0..<Int32(count) {
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: cells.append(.int(sqlite3_column_int64(statement, column)))
            case SQLITE_FLOAT: cells.append(.double(sqlite3_column_double(statement, column)))
            case SQLITE_TEXT:
                let start = sqlite3_column_text(statement, column)
                let text = UnsafeBufferPointer(
                    start: start, count: Int(sqlite3_column_bytes(statement, column)))
                cells.append(.text(String(decoding: text, as: UTF8.self)))
            case SQLITE_BLOB:
                let start = sqlite3_column_blob(statement, column)
                let count = Int(sqlite3_column_bytes(statement, column))
                cells.append(.bytes(Array(UnsafeRawBufferPointer(start: start, count: count))))
            default: cells.append(.null)
            }
        }
    }

    /// SQLITE_TRANSIENT, a macro that Swift does not import: SQLite copies.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private static func bind(
        _ value: String, _ type: SQLType, to statement: OpaquePointer, _ position: Int32
    ) throws -> Int32 {
        var value = value
        return try value.withUTF8 { utf8 in
            try SQLText.check(utf8, type)
            return utf8.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else {
                    return sqlite3_bind_text(statement, position, "", 0, copied)
                }
                return sqlite3_bind_text64(
                    statement, position, start, UInt64(text.count), copied, UInt8(SQLITE_UTF8))
            }
        }
    }
}
