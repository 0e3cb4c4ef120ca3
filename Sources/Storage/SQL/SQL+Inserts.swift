extension SQL {
    /// Up to here a statement may have any number of rows; beyond, a multiple of ``rowStep``.
    private static let anyRows = 16
    private static let rowStep = 8
    private static let rowLimit = 64

    /// Statements that insert `rows`, each a parenthesized list of values, many at
    /// a time: `head` ends in `VALUES`, `tail` follows the rows.
    ///
    /// The texts differ only by how many rows they hold, and there are few such
    /// numbers, because every text is prepared once on every connection.
    package static func inserts(_ head: SQL, _ rows: [SQL], _ tail: SQL = "") -> [SQL] {
        var statements: [SQL] = []
        var rest = rows[...]
        while !rest.isEmpty {
            let most = min(rest.count, rowLimit)
            let part = rest.prefix(most <= anyRows ? most : most / rowStep * rowStep)
            rest = rest.dropFirst(part.count)
            statements.append(head + " " + joined(Array(part), separator: ", ") + tail)
        }
        return statements
    }
}
