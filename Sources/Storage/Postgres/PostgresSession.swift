import CPostgres

/// One PostgreSQL connection in pipeline mode.
///
/// What needs no answer (BEGIN, savepoints, the COMMIT of a read) waits in
/// `pending` and travels with the next statement, so a write of one statement
/// takes two round trips and a read one.
final class PostgresSession: Session {
    enum Mode: String {
        case read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    }

    /// A write finds its rows by index. The plan of a prepared statement is kept, and
    /// one made while a table was small would go on reading all of it as it grows,
    /// until the server gathers statistics.
    private static let byIndex = "SET LOCAL enable_seqscan = off"

    /// Rows that ``stream(_:_:)`` holds at a time.
    private static let fetchCount = 1000

    /// A read is expected to be alone after it was that often; when it is not,
    /// the next so many are not.
    private static let loneThreshold = 2
    private static let loneBan = -32

    private let flight: PostgresFlight
    private var pending: [String] = []
    private var cursors = 0
    private var loneRead = LoneRead.no

    var dialect: Dialect { .postgres }
    /// True when a commit was sent and its answer did not come.
    private(set) var isOutcomeUnknown = false
    /// True after the connection was lost; nothing works any more.
    var isBroken: Bool { flight.isBroken }

    /// Takes over a connection from ``PostgresConnection``.
    init(_ connection: OpaquePointer) throws { flight = try PostgresFlight(connection) }

    /// Opens a transaction with the next statement, after the end of the last.
    func begin(_ mode: Mode) {
        pending = flight.isInTransaction ? [flight.isRefused ? "ROLLBACK" : "COMMIT"] : []
        pending.append(mode.rawValue)
        if mode == .write { pending.append(Self.byIndex) }
        loneRead = mode == .read ? .possible : .no
    }

    /// Called when the closure of a read has returned. What it answers tells
    /// whether a transaction is open, and whether the closure must run again.
    func endRead() -> LoneRead {
        defer { loneRead = .no }
        switch loneRead {
        case .first(let prepared), .sent(let prepared): prepared.loneRuns += 1
        case .no, .possible, .refuted: break
        }
        return loneRead
    }

    /// Ends the transaction of a read, or of a write that is to be undone.
    func rollback() throws {
        pending = flight.isInTransaction ? ["ROLLBACK"] : []
        try sendPending()
    }

    /// Ends a write, with its notifications.
    ///
    /// Throws ``StorageError/connection(_:)`` when the answer did not come. Then
    /// ``isOutcomeUnknown`` tells whether it was lost on the way back.
    func commit(_ notifications: [Notification]) throws {
        var last = try notifications.map { notification in
            try flight.load("SELECT pg_notify(\(notification.channel), \(notification.payload))")
        }
        if !flight.isInTransaction {
            // Nothing was sent yet: not even a BEGIN, or only savepoints around nothing.
            // What there is goes first, so that a connection that was lost meanwhile
            // leaves no doubt.
            defer { pending = [] }
            guard !last.isEmpty else { return }
            _ = try flight.send(takePending() + last)
            last = []
        }
        do {
            isOutcomeUnknown = true
            _ = try flight.send(takePending() + last + [PostgresFlight.Load(command: "COMMIT")])
            isOutcomeUnknown = false
        } catch StorageError.connection(let text) {
            throw StorageError.connection("the outcome of the commit is unknown: \(text)")
        } catch {
            // The server's answer is that it was undone.
            isOutcomeUnknown = false
            throw error
        }
    }

    func execute(_ sql: SQL) throws -> Rows {
        // Before `pending` is taken: this may refuse the values.
        let load = try flight.load(sql)
        try predict(load)
        let rows = try flight.send(takePending() + [load])
        if case .possible = loneRead, let prepared = flight.prepared(load) { loneRead = .first(prepared) }
        return rows
    }

    /// Most reads run one statement, which needs no transaction around it: the
    /// BEGIN is left out for a text that has been alone, and the closure runs again
    /// with one when it was not.
    private func predict(_ load: PostgresFlight.Load?) throws {
        switch loneRead {
        case .possible:
            guard let load else { return loneRead = .no }
            guard let prepared = flight.prepared(load), prepared.loneRuns >= Self.loneThreshold,
                pending.last == Mode.read.rawValue
            else { return }
            pending.removeLast()
            loneRead = .sent(prepared)
        case .first(let prepared):
            prepared.loneRuns = Self.loneBan
            loneRead = .no
        case .sent(let prepared):
            prepared.loneRuns = Self.loneBan
            loneRead = .refuted
            throw StorageError.serialization("the read was not alone")
        case .no, .refuted: return
        }
    }

    func executeMany(_ sqls: [SQL]) throws {
        let loads = try sqls.map(flight.load)
        for start in stride(from: 0, to: loads.count, by: PostgresFlight.limit) {
            _ = try flight.send(takePending() + loads[start..<min(start + PostgresFlight.limit, loads.count)])
        }
    }

    func stream(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        let name = "c\(cursors + 1)"
        let declare = try flight.load(sql, after: "DECLARE \(name) NO SCROLL CURSOR FOR ")
        try predict(nil)
        let fetch = PostgresFlight.Load(command: "FETCH \(Self.fetchCount) FROM \(name)")
        _ = try flight.send(takePending() + [declare])
        cursors += 1
        // Also after an error of `body`; the server closes it after one of its own.
        defer {
            cursors -= 1
            if !flight.isRefused { pending.append("CLOSE \(name)") }
        }
        // Not those kept with the statement: the next cursor of that name has other columns.
        var cells: PostgresCells?
        var count = Self.fetchCount
        while count == Self.fetchCount, let result = try flight.hold(takePending() + [fetch]) {
            let rows = withExtendedLifetime(result) {
                let known = cells ?? PostgresCells(result.pointer)
                cells = known
                return known.rows(result.pointer)
            }
            count = rows.count
            for row in rows { try body(row) }
        }
    }

    func scan(_ sql: SQL, _ body: (borrowing RawRow) throws -> Void) throws {
        var load = try flight.load(sql)
        load.isBinary = true
        try predict(nil)
        guard let result = try flight.hold(takePending() + [load]) else { return }
        for row in 0..<result.count { try body(RawRow(.postgres(result.pointer, row))) }
    }

    func savepoint(_ depth: Int) { pending.append("SAVEPOINT s\(depth)") }
    func release(_ depth: Int) {
        // Around nothing it needs no savepoint.
        if pending.last == "SAVEPOINT s\(depth)" {
            pending.removeLast()
        } else {
            pending.append("RELEASE s\(depth)")
        }
    }
    func rollback(to depth: Int) throws {
        if let index = pending.firstIndex(of: "SAVEPOINT s\(depth)") {
            // The server has not heard of it, nor of anything after it.
            pending.removeSubrange(index...)
        } else {
            pending = ["ROLLBACK TO s\(depth)", "RELEASE s\(depth)"]
            // Now: the connection's state tells whether it is usable again.
            try sendPending()
        }
    }

    func liftTimeLimit() throws {
        try predict(nil)
        pending.append("SET LOCAL statement_timeout = 0")
    }

    func deferDurability() { pending.append("SET LOCAL synchronous_commit = off") }

    func limitLockWait(to limit: Duration) {
        pending.append("SET LOCAL lock_timeout = \(max(1, limit.milliseconds))")
    }

    private func sendPending() throws {
        let loads = takePending()
        if !loads.isEmpty { _ = try flight.send(loads) }
    }

    private func takePending() -> [PostgresFlight.Load] {
        defer { pending.removeAll(keepingCapacity: true) }
        return pending.map(PostgresFlight.Load.init(command:))
    }
}
