import JSON

/// Keeps a list within what its reader can take.
enum RowBudget {
    /// As for pages: about 20,000 tokens.
    static let bytes = 80_000

    /// The first rows that fit, and a sentence about the others.
    ///
    /// - Parameter rows: one more than `limit`, if there are more, says so.
    static func fit<Row: Encodable>(_ rows: [Row], limit: Int) throws -> (shown: [Row], leftOut: String?) {
        var size = 0
        for (index, row) in rows.enumerated() {
            if index == limit {
                return (
                    Array(rows.prefix(limit)),
                    "There are more than these \(limit): raise limit or narrow the filters."
                )
            }
            size += try JSONCoding.encode(row).count + 1
            if size > bytes, index > 0 {
                return (
                    Array(rows.prefix(index)),
                    "Cut after \(index) rows, which fill an answer: narrow the filters or lower limit."
                )
            }
        }
        return (rows, nil)
    }
}
