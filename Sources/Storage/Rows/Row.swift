/// One row of a result, equal from both databases, and `Sendable`.
package struct Row: Sendable {
    let columns: Columns
    let cells: [SQLValue]
    let start: Int

    /// The column names in the order of the statement.
    package var columnNames: [String] { columns.names }

    /// The value of a column.
    ///
    /// Throws ``StorageError/decode(_:)`` when there is no such column, or its
    /// cell is not a `Value`.
    package subscript<Value: SQLDecodable>(_ column: String) -> Value {
        get throws {
            guard let index = columns.index(of: column) else {
                throw StorageError.decode(
                    "no column \(column); the statement has \(columns.names.joined(separator: ", "))")
            }
            return try get(at: index)
        }
    }

    /// The value at a position, from 0.
    package func get<Value: SQLDecodable>(at index: Int, as: Value.Type = Value.self) throws -> Value {
        guard columns.names.indices.contains(index) else {
            throw StorageError.decode("no column at \(index); the statement has \(columns.names.count)")
        }
        do {
            return try Value(sql: cells[start + index])
        } catch StorageError.decode(let problem) {
            throw StorageError.decode("column \(columns.names[index]): \(problem)")
        }
    }

    /// The cell at a position, which must exist.
    func cell(_ index: Int) -> SQLValue { cells[start + index] }

    /// A `Decodable` type from the columns of its properties' names: `event_id`
    /// fills `eventID` and `eventId`.
    package func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try Value(from: RowDecoder(row: self))
    }
}

/// A record that is read from rows.
package protocol RowDecodable: Sendable {
    /// Throws ``StorageError/decode(_:)`` when a column is missing or of another
    /// kind.
    init(row: Row) throws
}
