import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct LimitTests {
    static func settings(_ change: (inout DatabaseSettings) -> Void) -> DatabaseSettings {
        var settings = TestDatabase.settings
        change(&settings)
        return settings
    }

    /// Runs until it is stopped.
    static func endless(_ dialect: Dialect) -> SQL {
        switch dialect {
        case .sqlite: "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT count(*) FROM s"
        case .postgres: "SELECT pg_sleep(60)"
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStatementThatRunsTooLongIsStopped(dialect: Dialect) async throws {
        let settings = Self.settings { $0.statementTimeout = .milliseconds(150) }
        try await withDatabase(dialect, settings: settings) { database in
            try await database.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
            func expectTimeout(_ body: () async throws -> Void) async {
                let error = await #expect(throws: StorageError.self) { try await body() }
                guard case .timeout(let text)? = error else {
                    return #expect(Bool(false), "\(String(describing: error))")
                }
                #expect(text.contains("statementTimeout"))
            }
            await expectTimeout { _ = try await database.read { try $0.rows(Self.endless(dialect)).count } }
            await expectTimeout {
                try await database.write { transaction in
                    try transaction.run("INSERT INTO t VALUES (1)")
                    try transaction.run(Self.endless(dialect))
                }
            }
            // A change that is stopped takes SQLite's whole transaction with it.
            await expectTimeout {
                try await database.write { transaction in
                    try transaction.run("INSERT INTO t VALUES (2)")
                    switch dialect {
                    case .sqlite:
                        try transaction.run(
                            """
                            INSERT INTO t
                            WITH RECURSIVE s(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM s)
                            SELECT n FROM s
                            """)
                    case .postgres: try transaction.run("INSERT INTO t SELECT 3 FROM pg_sleep(60)")
                    }
                }
            }
            try await database.run("INSERT INTO t VALUES (4)")
            let ids: [Int] = try await database.read { try $0.values("SELECT id FROM t") }
            #expect(ids == [4])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLimitCanBeLiftedForOneClosure(dialect: Dialect) async throws {
        let settings = Self.settings { $0.statementTimeout = .milliseconds(50) }
        let slow: SQL =
            switch dialect {
            case .sqlite:
                """
                WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000000)
                SELECT count(*) FROM s
                """
            case .postgres: "SELECT 1 FROM pg_sleep(0.2)"
            }
        try await withDatabase(dialect, settings: settings) { database in
            try await database.write { transaction in
                try transaction.liftTimeLimit()
                try transaction.run(slow)
            }
            await #expect(throws: StorageError.self) { try await database.run(slow) }
        }
    }

    @Test func aStoppedWriteDoesNotHarmItsGroup() async throws {
        let settings = Self.settings { $0.statementTimeout = .milliseconds(100) }
        try await withDatabase(.sqlite, settings: settings) { database in
            try await database.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
            let gate = Gate()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await database.write { _ in gate.pass() }
                    return true
                }
                await gate.arrived()
                for id in 0..<10 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.run("INSERT INTO t VALUES (\(id))")
                                guard id == 5 else { return }
                                try transaction.run(
                                    """
                                    INSERT INTO t
                                    WITH RECURSIVE s(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM s)
                                    SELECT n FROM s
                                    """)
                            }
                            return true
                        } catch StorageError.timeout {
                            return false
                        }
                    }
                }
                try await waitUntilWaiting(database, atLeast: 10)
                gate.open()
                #expect(try await group.reduce(0) { $0 + ($1 ? 0 : 1) } == 1)
            }
            let ids: [Int] = try await database.read { try $0.values("SELECT id FROM t ORDER BY id") }
            #expect(ids == [0, 1, 2, 3, 4, 6, 7, 8, 9])
            #expect(database.statistics.retries == 9)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCallThatWaitsTooLongNamesTheSetting(dialect: Dialect) async throws {
        let settings = Self.settings {
            $0.poolSize = 1
            $0.readers = 1
            $0.maximumWait = .milliseconds(100)
        }
        try await withDatabase(dialect, settings: settings) { database in
            let gate = Gate()
            async let holding: Void = database.read { _ in gate.pass() }
            await gate.arrived()
            let error = await #expect(throws: StorageError.self) {
                _ = try await database.value("SELECT 1", as: Int.self)
            }
            guard case .poolExhausted(let text)? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(text.contains(dialect == .sqlite ? "readers" : "poolSize"))
            gate.open()
            try await holding
            #expect(try await database.value("SELECT 1", as: Int.self) == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFullQueueRefusesAtOnce(dialect: Dialect) async throws {
        let settings = Self.settings {
            $0.poolSize = 1
            $0.readers = 1
            $0.maximumWaiting = 2
            $0.maximumWait = .seconds(60)
        }
        try await withDatabase(dialect, settings: settings) { database in
            let gate = Gate()
            async let holding: Void = database.read { _ in gate.pass() }
            await gate.arrived()
            async let first = database.value("SELECT 1", as: Int.self)
            async let second = database.value("SELECT 2", as: Int.self)
            try await waitUntilWaiting(database, atLeast: 2)
            let error = await #expect(throws: StorageError.self) {
                _ = try await database.value("SELECT 3", as: Int.self)
            }
            guard case .poolExhausted? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            gate.open()
            try await holding
            let answers = try await [first, second]
            #expect(answers == [1, 2])
        }
    }

    @Test(arguments: TestDatabase.available)
    func closingLetsWhatIsQueuedFinish(dialect: Dialect) async throws {
        let settings = Self.settings {
            $0.poolSize = 1
            $0.readers = 1
        }
        let place = try await TestDatabase.place(dialect)
        let database = try await place.open(settings: settings, removes: false)
        try await database.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await database.write { _ in gate.pass() } }
            await gate.arrived()
            for id in 0..<50 { group.addTask { try await database.run("INSERT INTO t VALUES (\(id))") } }
            try await waitUntilWaiting(database, atLeast: 50)
            let (closing, isClosing) = AsyncStream<Void>.makeStream()
            group.addTask {
                isClosing.yield()
                await database.close()
            }
            for await _ in closing { break }
            gate.open()
            try await group.waitForAll()
        }
        await #expect(throws: StorageError.closed) {
            _ = try await database.read { try $0.rows("SELECT 1").count }
        }
        await #expect(throws: StorageError.closed) { try await database.run("SELECT 1") }
        await #expect(throws: StorageError.closed) { try await database.rehearse { _ in } }
        await database.close()
        let again = try await place.open()
        #expect(try await again.value("SELECT count(*) FROM t", as: Int.self) == 50)
        await again.close()
    }

    @Test func theSQLiteWriterWaitsForTheDisk() async throws {
        try await withDatabase(.sqlite) { database in
            let pragmas = try await database.write { transaction in
                try ["synchronous", "foreign_keys", "recursive_triggers", "busy_timeout", "temp_store"].map {
                    try transaction.value("PRAGMA \(raw: $0)", as: Int.self)
                }
            }
            #expect(pragmas == [2, 1, 1, 5000, 2], "2 is FULL, and MEMORY")
            let mode = try await database.write { try $0.value("PRAGMA journal_mode", as: String.self) }
            #expect(mode == "wal")
        }
    }

    @Test func aFileInAMissingFolderIsRefusedClearly() async throws {
        let error = await #expect(throws: StorageError.self) {
            _ = try await openDatabase(.sqlite("/nonexistent/folder/x.sqlite"), logger: TestDatabase.quiet)
        }
        #expect(error == .connection("cannot open /nonexistent/folder/x.sqlite: No such file or directory"))
        await #expect(throws: StorageError.self) {
            _ = try await openDatabase(.sqlite(":memory:"), logger: TestDatabase.quiet)
        }
    }

    @Test(arguments: TestDatabase.available)
    func manyDifferentStatementsDoNotFillTheCache(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let sum = try await database.read { snapshot in
                var sum = 0
                for n in 0..<1500 {
                    sum += try snapshot.value("SELECT \(1) AS c\(raw: "\(n)")", as: Int.self) ?? 0
                }
                return sum
            }
            #expect(sum == 1500)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aChangedSchemaIsNoticed(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (a \(.int))")
            try await database.run("INSERT INTO t VALUES (1)")
            let all: SQL = "SELECT * FROM t"
            for _ in 0..<8 { #expect(try await database.read { try $0.rows(all)[0].columnNames } == ["a"]) }
            try await database.run("ALTER TABLE t ADD COLUMN b \(.text)")
            for _ in 0..<8 {
                #expect(try await database.read { try $0.rows(all)[0].columnNames } == ["a", "b"])
            }
            for _ in 0..<8 {
                #expect(try await database.write { try $0.run(all)[0].columnNames } == ["a", "b"])
            }
        }
    }
}
