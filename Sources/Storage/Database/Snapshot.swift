/// What a closure sees of the database: one consistent state, read only.
///
/// It is synchronous and belongs to one thread for the length of one closure;
/// used later it throws ``StorageError/closed``.
///
/// A statement that the database refuses ends a PostgreSQL transaction. SQLite
/// would go on, so here both refuse what follows, up to the end of the closure
/// or of the surrounding ``Transaction/savepoint(_:)``.
package class Snapshot {
    let session: any Session
    /// How many statements the closure has run.
    package final private(set) var statementCount = 0
    private var isOver = false
    /// The refused statement after which nothing else may run.
    final var failure: StorageError?
    /// The last failure that another attempt may not meet.
    final var passingFailure: StorageError?

    init(session: any Session) { self.session = session }

    package final var dialect: Dialect { session.dialect }

    /// Every row of a statement.
    package final func rows(_ sql: SQL) throws -> Rows {
        try perform(1) { try session.execute(sql) }
    }

    /// Every row as a record.
    package final func all<Value: RowDecodable>(_ sql: SQL, as: Value.Type = Value.self) throws -> [Value] {
        try rows(sql).map(Value.init(row:))
    }

    /// The first row as a record, nil without rows.
    package final func one<Value: RowDecodable>(_ sql: SQL, as: Value.Type = Value.self) throws -> Value? {
        try rows(sql).first.map(Value.init(row:))
    }

    /// The first cell of the first row; nil without rows, and for NULL unless
    /// `Value` is itself an optional.
    package final func value<Value: SQLDecodable>(_ sql: SQL, as: Value.Type = Value.self) throws -> Value? {
        guard let row = try rows(sql).first else { return nil }
        if !row.columns.names.isEmpty, case .null = row.cell(0) { return try? Value(sql: .null) }
        return try row.get(at: 0)
    }

    /// The first cell of every row.
    package final func values<Value: SQLDecodable>(_ sql: SQL, as: Value.Type = Value.self) throws -> [Value]
    {
        try rows(sql).map { try $0.get(at: 0) }
    }

    /// Hands over row after row, so that millions of them take no memory. `sql`
    /// is a SELECT; `body` may run other statements, and ends the walk by
    /// throwing.
    package final func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        try perform(1) { try session.stream(sql, body) }
    }

    /// Lends row after row without copying it. `sql` is a SELECT of a bounded
    /// number of rows: PostgreSQL's driver holds all of them meanwhile. `body` may
    /// run other statements, and ends the walk by throwing.
    package final func scan(_ sql: SQL, _ body: (borrowing RawRow) throws -> Void) throws {
        try perform(1) { try session.scan(sql, body) }
    }

    /// Lifts the limit on a statement's time until the end of the closure, for
    /// migrations and maintenance. Counts as no statement.
    package final func liftTimeLimit() throws { try perform(0) { try session.liftTimeLimit() } }

    /// Runs statements unless the closure is over or has met a refusal.
    final func perform<Result>(_ statements: Int, _ work: () throws -> Result) throws -> Result {
        guard !isOver else { throw StorageError.closed }
        if let failure {
            throw StorageError.other(
                code: "25P02",
                message: "an earlier statement was refused and not undone by a savepoint: \(failure)")
        }
        statementCount += statements
        do {
            return try work()
        } catch {
            note(error)
            throw error
        }
    }

    /// Remembers a refusal, whatever the closure makes of it.
    final func note(_ error: any Error) {
        guard let error = error as? StorageError else { return }
        if error.endsTransaction, failure == nil { failure = error }
        if error.isWorthRepeating { passingFailure = error }
    }

    /// Remembers what a closure threw of its own: it may ask to run again.
    final func noteThrown(_ error: any Error) {
        if let error = error as? StorageError, error.isWorthRepeating { passingFailure = error }
    }

    /// Called when the closure has returned.
    final func end() { isOver = true }
}
