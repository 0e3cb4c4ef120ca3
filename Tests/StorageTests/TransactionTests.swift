import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
    static let table: SQL = "CREATE TABLE t (id \(.int) PRIMARY KEY, n \(.int) NOT NULL DEFAULT 0)"

    static func ids(_ database: any Database) async throws -> [Int] {
        try await database.read { try $0.values("SELECT id FROM t ORDER BY id") }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsThrownUndoesEverything(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            await #expect(throws: Thrown(number: 7)) {
                try await database.write { transaction in
                    try transaction.run("INSERT INTO t (id) VALUES (1)")
                    transaction.afterCommit { Issue.record("not committed") }
                    throw Thrown(number: 7)
                }
            }
            #expect(try await Self.ids(database) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWriteIsSeenByTheNextRead(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.run("INSERT INTO t (id) VALUES (0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 1...8 {
                    group.addTask {
                        for step in 0..<20 {
                            let id = worker * 1000 + step
                            try await database.run("INSERT INTO t (id) VALUES (\(id))")
                            let found = try await database.value(
                                "SELECT id FROM t WHERE id = \(id)", as: Int.self)
                            #expect(found == id)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSnapshotDoesNotChangeWhileOthersWrite(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let gate = Gate()
            async let counts = database.read { snapshot in
                let before = try snapshot.value("SELECT count(*) FROM t", as: Int.self)
                gate.pass()
                return [before, try snapshot.value("SELECT count(*) FROM t", as: Int.self)]
            }
            await gate.arrived()
            try await database.run("INSERT INTO t (id) VALUES (1)")
            gate.open()
            let seen = try await counts
            #expect(seen == [0, 0])
            #expect(try await Self.ids(database) == [1])
        }
    }

    @Test(
        arguments: TestDatabase.available,
        [
            "INSERT INTO t (id) VALUES (9)", "UPDATE t SET n = 1 RETURNING id", "DELETE FROM t",
            "DELETE FROM t RETURNING id", "CREATE TABLE u (id \(.int))", "DROP TABLE t",
        ] as [SQL])
    func aReaderCannotWrite(dialect: Dialect, statement: SQL) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.run("INSERT INTO t (id) VALUES (1)")
            let reader = Reader(database)
            let error = await #expect(throws: StorageError.self) {
                _ = try await reader.read { try $0.rows(statement).count }
            }
            guard case .readOnly? = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(try await Self.ids(database) == [1])
            #expect(try await database.value("SELECT n FROM t", as: Int.self) == 0)
        }
    }

    @Test(
        arguments: TestDatabase.available,
        ["COMMIT", " rollback", "BEGIN", "SAVEPOINT x", "SET TRANSACTION READ WRITE", "ATTACH 'x' AS y"]
            as [SQL])
    func statementsCannotTouchTheTransaction(dialect: Dialect, statement: SQL) async throws {
        try await withDatabase(dialect) { database in
            await #expect(throws: StorageError.self) {
                _ = try await database.read { try $0.rows(statement).count }
            }
            await #expect(throws: StorageError.self) { try await database.run(statement) }
            let one = try await database.value("SELECT 1", as: Int.self)
            #expect(one == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSavepointFailsAlone(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.write { transaction in
                try transaction.savepoint { try transaction.run("INSERT INTO t (id) VALUES (1)") }
                #expect(throws: Thrown()) {
                    try transaction.savepoint {
                        try transaction.run("INSERT INTO t (id) VALUES (2)")
                        throw Thrown()
                    }
                }
                // A refused statement too, and inside another savepoint.
                try transaction.savepoint {
                    try transaction.run("INSERT INTO t (id) VALUES (3)")
                    #expect(throws: StorageError.self) {
                        try transaction.savepoint { try transaction.run("INSERT INTO t (id) VALUES (1)") }
                    }
                    try transaction.run("INSERT INTO t (id) VALUES (4)")
                }
                // One that did nothing, before and after others.
                #expect(throws: Thrown()) { try transaction.savepoint { throw Thrown() } }
                #expect(try transaction.savepoint { 5 } == 5)
                try transaction.run("INSERT INTO t (id) VALUES (6)")
            }
            #expect(try await Self.ids(database) == [1, 3, 4, 6])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSavepointAsTheFirstThingWorks(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.write { transaction in
                do {
                    try transaction.savepoint { _ = try transaction.run("SELECT missing") }
                    Issue.record("a missing column was found")
                } catch is StorageError {}
                try transaction.savepoint {
                    try transaction.savepoint { _ = try transaction.run("INSERT INTO t (id) VALUES (1)") }
                }
            }
            #expect(try await Self.ids(database) == [1])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedStatementThatIsIgnoredStillUndoesTheTransaction(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let error = await #expect(throws: StorageError.self) {
                try await database.write { transaction in
                    try transaction.run("INSERT INTO t (id) VALUES (1)")
                    _ = try? transaction.run("INSERT INTO t (id) VALUES (1)")
                    #expect(throws: StorageError.self) {
                        try transaction.run("INSERT INTO t (id) VALUES (2)")
                    }
                }
            }
            guard case .uniqueViolation? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(try await Self.ids(database) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRehearsalLeavesNoTrace(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let c = uniqueChannel()
            var heard = database.listen(c).makeAsyncIterator()
            _ = await heard.next()
            let seen = try await database.rehearse { transaction in
                try transaction.run("INSERT INTO t (id) VALUES (1)")
                transaction.afterCommit { Issue.record("a rehearsal was announced") }
                try transaction.notify(c, "rehearsed")
                return try transaction.values("SELECT id FROM t", as: Int.self)
            }
            #expect(seen == [1])
            #expect(try await Self.ids(database) == [])
            try await database.write { try $0.notify(c, "real") }
            #expect(await heard.next() == "real")
            await #expect(throws: Thrown()) { try await database.rehearse { _ in throw Thrown() } }
        }
    }

    @Test(arguments: TestDatabase.available)
    func actionsRunInOrderAfterTheCommitAndBeforeTheCaller(dialect: Dialect) async throws {
        final class Log: Sendable { let lines = Mutex<[String]>([]) }
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let log = Log()
            try await database.write { transaction in
                transaction.afterCommit { log.lines.withLock { $0.append("first") } }
                try transaction.run("INSERT INTO t (id) VALUES (1)")
                #expect(throws: Thrown()) {
                    try transaction.savepoint {
                        transaction.afterCommit { log.lines.withLock { $0.append("undone") } }
                        throw Thrown()
                    }
                }
                transaction.afterCommit { log.lines.withLock { $0.append("second") } }
                log.lines.withLock { $0.append("body") }
            }
            log.lines.withLock { $0.append("caller") }
            #expect(log.lines.withLock { $0 } == ["body", "first", "second", "caller"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func statementsAreCounted(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let count = try await database.write { transaction in
                try transaction.run("INSERT INTO t (id) VALUES (1)")
                try transaction.runMany((2...5).map { "INSERT INTO t (id) VALUES (\($0))" })
                try transaction.savepoint { _ = try transaction.one("SELECT id FROM t", as: OnlyID.self) }
                try transaction.forEachRow("SELECT id FROM t") { _ in }
                return transaction.statementCount
            }
            #expect(count == 7)
        }
    }

    struct OnlyID: RowDecodable {
        var id: Int
        init(row: Row) throws { id = try row["id"] }
    }

    @Test(arguments: TestDatabase.available)
    func affectedRowsAreCounted(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.write { transaction in
                #expect(try transaction.run("INSERT INTO t (id) VALUES (1), (2), (3)").affected == 3)
                #expect(try transaction.run("UPDATE t SET n = 5 WHERE id > \(1)").affected == 2)
                #expect(try transaction.run("UPDATE t SET n = 5 WHERE id > \(10)").affected == 0)
                #expect(try transaction.run("SELECT id FROM t").affected == 0)
                #expect(try transaction.run("CREATE TABLE u (id \(.int))").affected == 0)
                let rows = try transaction.run("DELETE FROM t WHERE id < \(3) RETURNING id, n")
                #expect(rows.affected == 2 && rows.count == 2)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aScopeThatEscapesIsClosed(dialect: Dialect) async throws {
        final class Keeper: @unchecked Sendable { var transaction: Transaction? }
        try await withDatabase(dialect) { database in
            let keeper = Keeper()
            try await database.write { keeper.transaction = $0 }
            #expect(throws: StorageError.closed) { try keeper.transaction?.run("SELECT 1") }
        }
    }

    @Test(arguments: TestDatabase.available)
    func workIsKeptForTheLengthOfTheTransaction(dialect: Dialect) async throws {
        final class Work {}
        try await withDatabase(dialect) { database in
            try await database.write { transaction in
                let work = Work()
                transaction.work = work
                #expect(throws: Thrown()) { try transaction.savepoint { throw Thrown() } }
                #expect(transaction.work === work)
            }
            #expect(try await database.write { $0.work == nil })
        }
    }

    @Test(arguments: TestDatabase.available)
    func manyStatementsRunInOrderAndStopAtARefusal(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            try await database.write { transaction in
                try transaction.runMany(
                    (0..<1000).map { n in
                        n % 2 == 0
                            ? "INSERT INTO t (id) VALUES (\(n))"
                            : "UPDATE t SET n = n + \(n) WHERE id = \(n - 1)"
                    })
            }
            #expect(try await database.value("SELECT sum(n) FROM t", as: Int.self) == 250_000)
            let error = await #expect(throws: StorageError.self) {
                try await database.write { transaction in
                    try transaction.runMany(
                        (2000..<2600).map { "INSERT INTO t (id) VALUES (\($0 == 2300 ? 0 : $0))" })
                }
            }
            guard case .uniqueViolation? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == 500)
            try await database.write { try $0.runMany([]) }
        }
    }
}
