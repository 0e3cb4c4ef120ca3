import GRDB
import GRDBSQLite

/// A prepared statement with the names of its columns.
final class SQLiteStatement {
    let statement: GRDB.Statement
    private var lastColumns = Columns([])

    init(_ statement: GRDB.Statement) {
        self.statement = statement
        // GRDB then takes what is bound through the C interface as its own.
        statement.setUncheckedArguments(StatementArguments())
        lastColumns = readColumns()
    }

    var handle: OpaquePointer { statement.sqliteStatement }
    var hasColumns: Bool { !lastColumns.names.isEmpty }

    /// The names, read again when a changed schema gave `SELECT *` more of them.
    var columns: Columns {
        if lastColumns.names.count != statement.columnCount { lastColumns = readColumns() }
        return lastColumns
    }

    private func readColumns() -> Columns {
        Columns(
            (0..<statement.columnCount).map { index in
                sqlite3_column_name(handle, Int32(index)).map { String(cString: $0) } ?? ""
            })
    }
}
