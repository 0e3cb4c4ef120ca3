import Storage
import TestSupport
import Testing

/// Commits that do not wait for the disk, and waits for locks that are short.
@Suite struct DeferralTests {
    /// Where the connection has its durability from; `session` after it was set.
    private static let source: SQL = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"

    @Test(arguments: TestDatabase.available)
    func aDeferredWriteIsKeptAndSeen(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(TransactionTests.table)
            try await database.write { tx in
                try tx.run("INSERT INTO t (id) VALUES (1)")
                try tx.deferDurability()
            }
            #expect(try await TransactionTests.ids(database) == [1])
            await #expect(throws: Thrown.self) {
                try await database.write { tx in
                    try tx.deferDurability()
                    try tx.run("INSERT INTO t (id) VALUES (2)")
                    throw Thrown()
                }
            }
            #expect(try await TransactionTests.ids(database) == [1])
        }
    }

    @Test(arguments: TestDatabase.available.filter { $0 == .postgres })
    func deferralEndsWithItsTransaction(dialect: Dialect) async throws {
        var settings = TestDatabase.settings
        settings.poolSize = 1
        try await withDatabase(dialect, settings: settings) { database in
            let before = try await database.write { try $0.value(Self.source, as: String.self) }
            #expect(before != "session")
            let within = try await database.write { tx in
                try tx.deferDurability()
                return try [Self.source, "SELECT current_setting('synchronous_commit')"].map {
                    try tx.value($0, as: String.self)
                }
            }
            #expect(within == ["session", "off"])
            #expect(try await database.write { try $0.value(Self.source, as: String.self) } == before)
        }
    }

    @Test(arguments: TestDatabase.available.filter { $0 == .postgres })
    func aLongWaitForALockIsCutShort(dialect: Dialect) async throws {
        var settings = TestDatabase.settings
        settings.maximumAttempts = 2
        try await withDatabase(dialect, settings: settings) { database in
            try await database.run(TransactionTests.table)
            try await database.run("INSERT INTO t (id) VALUES (1)")
            let gate = Gate()
            async let holder: Void = database.write { tx in
                try tx.run("UPDATE t SET n = 1 WHERE id = 1")
                gate.pass()
            }
            await gate.arrived()
            let error = await #expect(throws: StorageError.self) {
                try await database.write { tx in
                    try tx.limitLockWait(to: .milliseconds(5))
                    try tx.run("UPDATE t SET n = 2 WHERE id = 1")
                }
            }
            if case .busy = error {} else { Issue.record("\(String(describing: error))") }
            #expect(database.statistics.retries == 1)
            gate.open()
            try await holder
            // The limit was that transaction's.
            let limit = try await database.write { try $0.value("SHOW lock_timeout", as: String.self) }
            #expect(limit == "0")
        }
    }

    @Test(arguments: TestDatabase.available.filter { $0 == .postgres })
    func contentionIsRememberedAfterASavepoint(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(TransactionTests.table)
            try await database.run("INSERT INTO t (id) VALUES (1)")
            let gate = Gate()
            async let holder: Void = database.write { tx in
                try tx.run("UPDATE t SET n = 1 WHERE id = 1")
                gate.pass()
            }
            await gate.arrived()
            let (before, after) = try await database.write { tx in
                try tx.limitLockWait(to: .milliseconds(5))
                let before = tx.contention
                _ = try? tx.savepoint { try tx.run("UPDATE t SET n = 2 WHERE id = 1") }
                return (before, tx.contention)
            }
            #expect(before == nil)
            if case .busy = after {} else { Issue.record("\(String(describing: after))") }
            gate.open()
            try await holder
        }
    }

    @Test(arguments: TestDatabase.available)
    func savepointsAroundNothingLeaveTheOthersAlone(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(TransactionTests.table)
            try await database.write { tx in
                try tx.savepoint {}
                try tx.savepoint {
                    try tx.savepoint { try tx.savepoint {} }
                    try tx.run("INSERT INTO t (id) VALUES (1)")
                    try tx.savepoint {}
                }
                do {
                    try tx.savepoint {
                        try tx.savepoint {}
                        try tx.run("INSERT INTO t (id) VALUES (2)")
                        try tx.savepoint {}
                        throw Thrown()
                    }
                } catch is Thrown {}
            }
            #expect(try await TransactionTests.ids(database) == [1])
        }
    }

    @Test(arguments: TestDatabase.available, [1, 16, 17, 64, 65, 203])
    func rowsAreInsertedInOrderByFewTexts(dialect: Dialect, count: Int) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(TransactionTests.table)
            let statements = SQL.inserts(
                "INSERT INTO t (id, n) VALUES", (0..<count).map { "(\($0), \($0 * 7))" }, " RETURNING id")
            let ids = try await database.write { tx in
                try statements.flatMap { try tx.values($0, as: Int.self) }
            }
            #expect(ids == Array(0..<count))
            #expect(
                try await database.value("SELECT SUM(n) FROM t", as: Int.self) == count * (count - 1) / 2 * 7)
        }
    }

    @Test func noRowsAreNoStatement() {
        #expect(SQL.inserts("INSERT INTO t VALUES", []).isEmpty)
        let texts = (1...500).flatMap { count in
            SQL.inserts("INSERT INTO t VALUES", (0..<count).map { "(\($0))" }).map(\.description)
        }
        #expect(Set(texts).count == 22)
    }
}
