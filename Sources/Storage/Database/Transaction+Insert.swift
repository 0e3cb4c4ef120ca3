extension Transaction {
    /// Rows of one INSERT, largest first: few different texts, so that all stay
    /// prepared, and far below the 32,766 values that SQLite takes.
    private static let rowsAtOnce = [64, 8, 1]

    /// `INSERT INTO … VALUES` of any number of rows, many in a statement.
    ///
    /// - Parameters:
    ///   - table: the table and its columns, `audit_leaves (seq, entry_id)`.
    ///   - rows: one piece for each, `(\(seq), \(id))`, all of one shape.
    package func insert(into table: SQL, _ rows: [SQL]) throws {
        let head = "INSERT INTO \(table) VALUES " as SQL
        var statements: [SQL] = []
        var start = 0
        for size in Self.rowsAtOnce {
            while rows.count - start >= size {
                statements.append(head + .joined(Array(rows[start..<(start + size)]), separator: ", "))
                start += size
            }
        }
        try runMany(statements)
    }
}
