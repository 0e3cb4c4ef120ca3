import CPostgres

/// Sends several statements at once over a connection in pipeline mode and reads
/// their answers (libpq, "Pipeline Mode").
final class PostgresFlight {
    /// A statement whose values were found fit to send.
    struct Load {
        /// The protocol counts them in 16 bits.
        private static let parameterLimit = 65_535

        let text: String
        let types: [SQLType]
        let parameters: PostgresParameters
        /// Whether the cells of its result come in binary format.
        var isBinary = false

        fileprivate init(text: String, binds: [SQLBind]) throws {
            guard binds.count <= Self.parameterLimit else {
                throw StorageError.invalidValue(
                    "a statement takes \(Self.parameterLimit) values at most; use runMany")
            }
            self.text = text
            types = binds.map(\.type)
            parameters = try PostgresParameters(binds)
        }

        /// A statement of our own, without values.
        init(command: String) {
            text = command
            types = []
            parameters = PostgresParameters()
        }
    }

    /// Statements in one exchange. The server answers while we still send; with
    /// more, both sides could wait for the other to read.
    static let limit = 256

    private enum Answer {
        case prepared(PostgresStatements.Prepared, text: String)
        case statement(PostgresStatements.Prepared)
    }

    private let connection: OpaquePointer
    private var statements = PostgresStatements()
    private(set) var isBroken = false

    /// Takes over a connection.
    init(_ connection: OpaquePointer) throws {
        self.connection = connection
        guard PQenterPipelineMode(connection) == 1 else { throw PostgresError.connection(connection) }
    }

    deinit { PQfinish(connection) }

    /// Whether the server has a transaction open, as of its last answer.
    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }
    /// Whether it refuses everything but the end of the transaction.
    var isRefused: Bool { PQtransactionStatus(connection) == PQTRANS_INERROR }

    /// Throws when the statement or its values must not be sent.
    func load(_ sql: SQL) throws -> Load { try load(sql, after: "") }

    /// The same with a text before it.
    func load(_ sql: SQL, after prefix: String) throws -> Load {
        let (text, binds) = sql.render(.postgres)
        let load = try Load(text: prefix.isEmpty ? text : prefix + text, binds: binds)
        if statements.find(load.text, load.types) == nil { try StatementGuard.check(text) }
        return load
    }

    /// The statement on this connection, once it is prepared.
    func prepared(_ load: Load) -> PostgresStatements.Prepared? { statements.find(load.text, load.types) }

    /// Sends statements in order and answers with the rows of the last.
    ///
    /// Throws the first refusal; what follows a refused statement is not run.
    func send(_ loads: [Load]) throws -> Rows {
        var rows = Rows.empty(affected: 0)
        try send(loads) { result, prepared in rows = self.read(result.pointer, prepared) }
        return rows
    }

    /// The same, with the result of the last as libpq holds it.
    func hold(_ loads: [Load]) throws -> PostgresResult? {
        var last: PostgresResult?
        try send(loads) { result, _ in last = result }
        return last
    }

    private func send(
        _ loads: [Load], _ take: (PostgresResult, PostgresStatements.Prepared) -> Void
    ) throws {
        guard !isBroken else { throw StorageError.connection("the connection to PostgreSQL was lost") }
        try makeRoom()
        var answers: [Answer] = []
        answers.reserveCapacity(loads.count + 1)
        var fresh = PostgresStatements()
        for load in loads {
            var prepared = statements.find(load.text, load.types) ?? fresh.find(load.text, load.types)
            if prepared == nil {
                let made = statements.make(load.types)
                let types = load.types.map(\.oid)
                try require(PQsendPrepare(connection, made.name, load.text, load.parameters.count, types))
                answers.append(.prepared(made, text: load.text))
                fresh.keep(made, load.text)
                prepared = made
            }
            guard let prepared else { continue }
            try require(
                load.parameters.withPointers { values, lengths, formats in
                    PQsendQueryPrepared(
                        connection, prepared.name, load.parameters.count, values, lengths, formats,
                        load.isBinary ? 1 : 0)
                })
            answers.append(.statement(prepared))
        }
        try require(PQpipelineSync(connection))
        try receive(answers, take)
    }

    private func receive(
        _ answers: [Answer], _ take: (PostgresResult, PostgresStatements.Prepared) -> Void
    ) throws {
        var failure: StorageError?
        var expected = answers.makeIterator()
        var emptyAnswers = 0
        while true {
            guard let pointer = PQgetResult(connection) else {
                // One ends each statement; more in a row means that no more will come.
                emptyAnswers += 1
                if emptyAnswers > 1 { throw lost() }
                continue
            }
            let result = PostgresResult(pointer)
            emptyAnswers = 0
            switch PQresultStatus(pointer) {
            case PGRES_PIPELINE_SYNC:
                if let failure { throw failure }
                return
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                switch expected.next() {
                case .prepared(let prepared, let text): statements.keep(prepared, text)
                case .statement(let prepared): take(result, prepared)
                case nil: break
                }
            case PGRES_PIPELINE_ABORTED: _ = expected.next()
            default:
                _ = expected.next()
                if failure == nil { failure = PostgresError.translated(pointer) }
                if PostgresError.isStaleStatement(pointer) { statements.forgetAll() }
                if PQstatus(connection) == CONNECTION_BAD {
                    isBroken = true
                    throw failure ?? lost()
                }
            }
        }
    }

    private func read(_ result: OpaquePointer, _ prepared: PostgresStatements.Prepared) -> Rows {
        if let cells = prepared.cells, cells.kinds.count == PQnfields(result) { return cells.rows(result) }
        let cells = PostgresCells(result)
        prepared.cells = cells
        return cells.rows(result)
    }

    /// Starts over when too many statements are kept.
    private func makeRoom() throws {
        guard statements.count >= PostgresStatements.limit, !isRefused else { return }
        statements.forgetAll()
        let made = statements.make([])
        try require(PQsendPrepare(connection, made.name, "DEALLOCATE ALL", 0, nil))
        try require(PQsendQueryPrepared(connection, made.name, 0, nil, nil, nil, 0))
        try require(PQpipelineSync(connection))
        try receive([]) { _, _ in }
    }

    private func require(_ isSent: Int32) throws {
        if isSent != 1 { throw lost() }
    }

    private func lost() -> StorageError {
        isBroken = true
        return PostgresError.connection(connection)
    }
}
