/// One connection, owned by one thread: what an engine offers to ``Snapshot``
/// and ``Transaction``.
///
/// Every method is synchronous and throws ``StorageError``.
protocol Session: AnyObject {
    var dialect: Dialect { get }
    /// Runs one statement and collects its rows.
    func execute(_ sql: SQL) throws -> Rows
    /// Runs statements in order, as one exchange where the engine can.
    func executeMany(_ statements: [SQL]) throws
    /// Hands over row after row without collecting them. `body` may run other
    /// statements on the same session.
    func stream(_ sql: SQL, _ body: (Row) throws -> Void) throws
    /// Lends row after row where it lies. `body` may run other statements on the
    /// same session.
    func scan(_ sql: SQL, _ body: (borrowing RawRow) throws -> Void) throws
    /// Opens the savepoint of that depth.
    func savepoint(_ depth: Int) throws
    /// Keeps what was done since the savepoint of that depth.
    func release(_ depth: Int) throws
    /// Undoes and forgets the savepoint of that depth.
    func rollback(to depth: Int) throws
    /// Lifts the limit on a statement's time until the transaction ends.
    func liftTimeLimit() throws
    /// Lets the commit of this transaction be answered before it is on disk.
    func deferDurability() throws
    /// Limits every wait for a lock until the transaction ends.
    func limitLockWait(to limit: Duration) throws
}
