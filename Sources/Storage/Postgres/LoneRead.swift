/// What a ``PostgresSession`` knows of the read that is running.
enum LoneRead {
    /// It has a transaction, whatever comes.
    case no
    /// It has run nothing yet.
    case possible
    /// It has run one statement, with a BEGIN before it.
    case first(PostgresStatements.Prepared)
    /// It has run one statement, without.
    case sent(PostgresStatements.Prepared)
    /// It ran one statement without a transaction, and wanted another.
    case refuted
}
