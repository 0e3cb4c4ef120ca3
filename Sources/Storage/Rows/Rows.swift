/// A whole result, in memory. For results of unknown length use
/// ``Snapshot/forEachRow(_:_:)``.
package struct Rows: Sendable, RandomAccessCollection {
    let columns: Columns
    let cells: [SQLValue]
    /// How many rows the statement inserted, changed or deleted. 0 for a
    /// statement that only reads.
    package let affected: Int

    init(columns: Columns, cells: [SQLValue], affected: Int) {
        self.columns = columns
        self.cells = cells
        self.affected = affected
    }

    static func empty(affected: Int) -> Rows { Rows(columns: noColumns, cells: [], affected: affected) }
    private static let noColumns = Columns([])

    package var startIndex: Int { 0 }
    package var endIndex: Int { columns.names.isEmpty ? 0 : cells.count / columns.names.count }

    package subscript(index: Int) -> Row {
        Row(columns: columns, cells: cells, start: index * columns.names.count)
    }
}
