import Storage
import TestSupport
import Testing

@Suite struct ConstraintTests {
    static let tables: [SQL] = [
        """
        CREATE TABLE parent (
            id \(.int) PRIMARY KEY, email \(.text) NOT NULL UNIQUE, age \(.int) CHECK (age >= 0))
        """,
        "CREATE TABLE child (id \(.int) PRIMARY KEY, parent_id \(.int) NOT NULL REFERENCES parent (id))",
        "INSERT INTO parent VALUES (1, 'a', 5)",
    ]

    @Test(
        arguments: TestDatabase.available,
        [
            ("INSERT INTO parent VALUES (1, 'b', 5)", "unique"),
            ("INSERT INTO parent VALUES (2, 'a', 5)", "unique"),
            ("INSERT INTO child VALUES (1, 9)", "foreign key"), ("DELETE FROM parent WHERE id = 1", "none"),
            ("INSERT INTO parent VALUES (3, 'c', -1)", "check"),
            ("INSERT INTO parent VALUES (3, NULL, 1)", "not null"),
            ("SELECT missing FROM parent", "other"), ("SELEC 1", "other"),
        ] as [(SQL, String)])
    func aRefusalSaysWhichConstraint(dialect: Dialect, statement: (sql: SQL, kind: String)) async throws {
        try await withDatabase(dialect) { database in
            try await database.write { try $0.runMany(Self.tables) }
            var kind = "none"
            // Twice: a statement that failed is prepared again.
            for _ in 1...2 where statement.kind != "none" || kind == "none" {
                do {
                    try await database.run(statement.sql)
                } catch let error as StorageError {
                    kind =
                        switch error {
                        case .uniqueViolation: "unique"
                        case .foreignKeyViolation: "foreign key"
                        case .checkViolation: "check"
                        case .notNullViolation: "not null"
                        case .other: "other"
                        default: "\(error)"
                        }
                }
                #expect(kind == statement.kind)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeferredConstraintFailsAtTheCommitAndUndoesTheWrite(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.write { transaction in
                try transaction.run("CREATE TABLE parent (id \(.int) PRIMARY KEY)")
                try transaction.run(
                    """
                    CREATE TABLE child (id \(.int) PRIMARY KEY,
                        parent_id \(.int) REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)
                    """)
            }
            // Beside others that must not suffer from it.
            let results = await withTaskGroup(of: (Int, Bool).self) { group in
                for id in 0..<20 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.run("INSERT INTO child VALUES (\(id), \(id))")
                                if id != 7 { try transaction.run("INSERT INTO parent VALUES (\(id))") }
                            }
                            return (id, true)
                        } catch StorageError.foreignKeyViolation {
                            return (id, false)
                        } catch {
                            Issue.record(error)
                            return (id, false)
                        }
                    }
                }
                return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
            }
            #expect(results.filter { !$0.value }.map(\.key) == [7])
            #expect(try await database.value("SELECT count(*) FROM child", as: Int.self) == 19)
        }
    }

    @Test(
        arguments: TestDatabase.available,
        [
            "UPDATE log SET line = 'x'", "DELETE FROM log",
            "INSERT INTO log VALUES (1, 'y') ON CONFLICT (id) DO UPDATE SET line = 'y'",
        ] as [SQL])
    func anAppendOnlyTableRefusesChanges(dialect: Dialect, statement: SQL) async throws {
        try await withAppendOnlyTable(dialect) { database in
            try await Self.expectAppendOnly(database, statement)
        }
    }

    @Test func replaceCannotGetRoundAnAppendOnlyTable() async throws {
        try await withAppendOnlyTable(.sqlite) { database in
            try await Self.expectAppendOnly(database, "INSERT OR REPLACE INTO log VALUES (1, 'y')")
        }
    }

    @Test(.enabled(if: TestDatabase.available.contains(.postgres)))
    func truncateCannotGetRoundAnAppendOnlyTable() async throws {
        try await withAppendOnlyTable(.postgres) { database in
            try await Self.expectAppendOnly(database, "TRUNCATE log")
        }
    }

    private func withAppendOnlyTable(_ dialect: Dialect, _ body: (any Database) async throws -> Void)
        async throws
    {
        try await withDatabase(dialect) { database in
            try await database.write { transaction in
                try transaction.run("CREATE TABLE log (id \(.int) PRIMARY KEY, line \(.text) NOT NULL)")
                for sql in Migration.appendOnly("log", dialect) { try transaction.run(sql) }
                try transaction.run("INSERT INTO log VALUES (1, 'first')")
            }
            try await body(database)
            try await database.run("INSERT INTO log VALUES (2, 'second')")
            let lines: [String] = try await database.read {
                try $0.values("SELECT line FROM log ORDER BY id")
            }
            #expect(lines == ["first", "second"])
        }
    }

    private static func expectAppendOnly(_ database: any Database, _ statement: SQL) async throws {
        let error = await #expect(throws: StorageError.self) { try await database.run(statement) }
        guard case .appendOnly(let message)? = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(message.contains("log is append-only"))
    }
}
