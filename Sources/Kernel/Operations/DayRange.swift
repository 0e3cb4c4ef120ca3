package import Storage

/// Whole days of UTC, the first and the last one included; an end that is missing is open.
package struct DayRange: Sendable, Hashable {
    package let first, last: CalendarDay?

    /// - Throws: ``Failure/Code/invalidInput`` when the first day is after the last.
    package init(_ first: CalendarDay?, _ last: CalendarDay?) throws {
        (self.first, self.last) = (first, last)
        guard let first, let last, first > last else { return }
        throw Failure.invalid([.init("end_date", "must not be before start_date (\(first)), but is \(last)")])
    }

    /// The first moment of it.
    package var start: Instant? { first?.startUTC }
    /// The first moment after it.
    package var end: Instant? { last?.adding(days: 1).startUTC }

    /// For cursors.
    package var key: String { "\(first?.description ?? "")/\(last?.description ?? "")" }

    /// Rows whose column of times lies in it, beginning with ` AND`.
    package func condition(_ column: SQL) -> SQL {
        var sql: SQL = ""
        if let start { sql += " AND \(column) >= \(start)" }
        if let end { sql += " AND \(column) < \(end)" }
        return sql
    }
}
