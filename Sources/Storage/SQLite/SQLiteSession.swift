import GRDB
import GRDBSQLite

/// One SQLite connection, opened and stepped by GRDB.
///
/// Values are bound and read through the C interface: GRDB's own types cost an
/// allocation for each, and end a text at U+0000.
final class SQLiteSession: Session {
    /// How many prepared statements are kept.
    private static let cacheLimit = 512

    private let database: GRDB.Database
    private let clock: StatementClock
    private var statements: [String: SQLiteStatement] = [:]

    var dialect: Dialect { .sqlite }
    /// False after a failure that undid the whole transaction, such as a full disk.
    var isInTransaction: Bool { database.isInsideTransaction }

    /// Uses `database` until ``close()``, which must come before it is gone.
    init(_ database: GRDB.Database, statementTimeout: Duration) {
        self.database = database
        clock = StatementClock(limit: statementTimeout)
        clock.install(on: database.sqliteConnection)
    }

    func close() {
        clock.remove(from: database.sqliteConnection)
        statements = [:]
    }

    func execute(_ sql: SQL) throws -> Rows {
        let (text, binds) = sql.render(.sqlite)
        return try run(text, binds)
    }

    func executeMany(_ sqls: [SQL]) throws {
        for sql in sqls { _ = try execute(sql) }
    }

    func stream(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        try step(sql) { statement in
            let columns = statement.columns
            var cells: [SQLValue] = []
            cells.reserveCapacity(columns.names.count)
            SQLiteCells.append(statement.handle, columns.names.count, to: &cells)
            try body(Row(columns: columns, cells: cells, start: 0))
        }
    }

    func scan(_ sql: SQL, _ body: (borrowing RawRow) throws -> Void) throws {
        try step(sql) { statement in try body(RawRow(.sqlite(statement.handle))) }
    }

    private func step(_ sql: SQL, _ body: (SQLiteStatement) throws -> Void) throws {
        let (text, binds) = sql.render(.sqlite)
        // Not from the cache, so that `body` may run the same text.
        let statement = try SQLiteError.mapped { try prepare(text) }
        try SQLiteCells.bind(binds, to: statement.handle)
        clock.start()
        let cursor = try SQLiteError.mapped { try GRDB.Row.fetchCursor(statement.statement) }
        while try SQLiteError.mapped({ try cursor.next() }) != nil {
            try body(statement)
            clock.start()
        }
    }

    func savepoint(_ depth: Int) throws { try command("SAVEPOINT s\(depth)") }
    func release(_ depth: Int) throws { try command("RELEASE s\(depth)") }
    func rollback(to depth: Int) throws {
        try command("ROLLBACK TO s\(depth)")
        try command("RELEASE s\(depth)")
    }

    func liftTimeLimit() { clock.isLifted = true }
    // A commit is shared by many writes, and waiting for the disk costs each little.
    func deferDurability() {}
    // There is one writer, so nobody holds what it needs.
    func limitLockWait(to limit: Duration) {}
    func restoreTimeLimit() { clock.isLifted = false }

    /// Begins a transaction: `IMMEDIATE` takes the write lock.
    func begin(_ mode: StaticString) throws {
        restoreTimeLimit()
        try command("BEGIN \(mode)")
    }

    func commit() throws { try command("COMMIT") }

    /// Undoes the transaction if one is open.
    func rollback() {
        if isInTransaction { try? command("ROLLBACK") }
    }

    private func command(_ text: String) throws {
        let statement = try SQLiteError.mapped { try cached(text, isCommand: true) }
        do {
            try SQLiteError.mapped { try statement.statement.execute() }
        } catch {
            statements[text] = nil
            throw error
        }
    }

    private func run(_ text: String, _ binds: [SQLBind]) throws -> Rows {
        do {
            return try SQLiteError.mapped {
                let statement = try cached(text, isCommand: false)
                try SQLiteCells.bind(binds, to: statement.handle)
                clock.start()
                let changes = database.totalChangesCount
                let (columns, cells) = try collect(statement)
                let affected = database.totalChangesCount == changes ? 0 : database.changesCount
                return Rows(columns: columns, cells: cells, affected: affected)
            }
        } catch {
            // SQLite cannot reset a statement that failed (sqlite3_reset).
            statements[text] = nil
            throw error
        }
    }

    private func collect(_ statement: SQLiteStatement) throws -> (Columns, [SQLValue]) {
        guard statement.hasColumns else {
            try statement.statement.execute()
            return (statement.columns, [])
        }
        var cells: [SQLValue] = []
        let cursor = try GRDB.Row.fetchCursor(statement.statement)
        guard try cursor.next() != nil else { return (statement.columns, []) }
        // After the first step: a changed schema prepares the statement again.
        let columns = statement.columns
        let count = columns.names.count
        cells.reserveCapacity(count)
        repeat {
            SQLiteCells.append(statement.handle, count, to: &cells)
        } while try cursor.next() != nil
        return (columns, cells)
    }

    private func cached(_ text: String, isCommand: Bool) throws -> SQLiteStatement {
        if let statement = statements[text] { return statement }
        if !isCommand { try StatementGuard.check(text) }
        let statement = try prepare(text)
        if statements.count >= Self.cacheLimit { statements.removeAll(keepingCapacity: true) }
        statements[text] = statement
        return statement
    }

    private func prepare(_ text: String) throws -> SQLiteStatement {
        SQLiteStatement(try database.makeStatement(sql: text))
    }
}
