import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
    @Test(arguments: TestDatabase.available)
    func concurrentIncrementsLoseNothing(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE counter (id \(.int) PRIMARY KEY, n \(.int) NOT NULL)")
            try await database.run("INSERT INTO counter VALUES (1, 0), (2, 0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<40 {
                    group.addTask {
                        try await database.write { transaction in
                            if task % 2 == 0 {
                                try transaction.run("UPDATE counter SET n = n + 1 WHERE id = 1")
                            } else {
                                let n = try transaction.value(
                                    "SELECT n FROM counter WHERE id = 1 \(.forUpdate)", as: Int.self)
                                try transaction.run("UPDATE counter SET n = \((n ?? 0) + 1) WHERE id = 1")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.value("SELECT n FROM counter WHERE id = 1", as: Int.self) == 40)
        }
    }

    @Test(arguments: TestDatabase.available)
    func transactionsThatCrossAreRepeated(dialect: Dialect) async throws {
        // The server looks for deadlocks after a second.
        let settings = LimitTests.settings { $0.maximumWait = .seconds(60) }
        try await withDatabase(dialect, settings: settings) { database in
            try await database.run("CREATE TABLE counter (id \(.int) PRIMARY KEY, n \(.int) NOT NULL)")
            try await database.run("INSERT INTO counter VALUES (1, 0), (2, 0)")
            // In opposite order, so that PostgreSQL finds deadlocks.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        try await database.write { transaction in
                            for id in task % 2 == 0 ? [1, 2] : [2, 1] {
                                try transaction.run("UPDATE counter SET n = n + 1 WHERE id = \(id)")
                                if dialect == .postgres { try transaction.run("SELECT pg_sleep(0.02)") }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.value("SELECT sum(n) FROM counter", as: Int.self) == 8)
        }
    }

    @Test(arguments: TestDatabase.available)
    func claimsDoNotOverlap(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE job (id \(.int) PRIMARY KEY, state \(.text) NOT NULL)")
            try await database.write {
                try $0.runMany((0..<200).map { "INSERT INTO job VALUES (\($0), 'queued')" })
            }
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await database.write { transaction in
                            try transaction.values(
                                """
                                UPDATE job SET state = 'running' WHERE id IN (
                                    SELECT id FROM job WHERE state = 'queued'
                                    ORDER BY id LIMIT 10 \(.skipLocked))
                                RETURNING id
                                """)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.sorted() == Array(0..<200))
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneFailureAmongManyWritesIsItsOwn(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
            // The first write holds the writer until all others wait.
            let gate = Gate()
            try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                group.addTask {
                    try await database.write { _ in gate.pass() }
                    return (-1, true)
                }
                await gate.arrived()
                for id in 0..<100 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.run("INSERT INTO t VALUES (\(id))")
                                if id % 10 == 3 { throw Thrown(number: id) }
                                if id % 10 == 4 { try transaction.run("INSERT INTO t VALUES (\(id))") }
                            }
                            return (id, true)
                        } catch let error as Thrown where error.number == id {
                            return (id, false)
                        } catch StorageError.uniqueViolation where id % 10 == 4 {
                            return (id, false)
                        }
                    }
                }
                try await waitUntilWaiting(database, atLeast: dialect == .sqlite ? 100 : 0)
                gate.open()
                for try await (id, isWritten) in group where id >= 0 {
                    #expect(isWritten == ![3, 4].contains(id % 10), "\(id)")
                }
            }
            let ids: [Int] = try await database.read { try $0.values("SELECT id FROM t ORDER BY id") }
            #expect(ids == (0..<100).filter { ![3, 4].contains($0 % 10) })
            if dialect == .sqlite {
                #expect(database.statistics.writes == 82)
                #expect(database.statistics.groupCommits == 3, "the table, the gate and the group")
            }
        }
    }

    /// Reads that wait together may share a snapshot, but not with one that began
    /// before they were asked for.
    @Test(arguments: TestDatabase.available)
    func aReadSeesWhatWasWrittenBeforeItWasAskedFor(dialect: Dialect) async throws {
        var settings = TestDatabase.settings
        (settings.poolSize, settings.readers) = (1, 1)
        let place = try await TestDatabase.place(dialect)
        let database = try await place.open(settings: settings)
        let writer = try await place.open(removes: false)
        try await writer.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
        let gate = Gate()
        async let earlier = database.read { snapshot in
            _ = try snapshot.rows("SELECT 1")
            let count = try snapshot.value("SELECT count(*) FROM t", as: Int.self)
            gate.pass()
            return count
        }
        await gate.arrived()
        try await writer.run("INSERT INTO t VALUES (1)")
        async let later = database.read { snapshot in
            try (
                snapshot.value("SELECT count(*) FROM t", as: Int.self),
                snapshot.value("SELECT 1", as: Int.self)
            )
        }
        try await waitUntilWaiting(database, atLeast: 1)
        gate.open()
        let counts = try await (earlier, later.0)
        #expect(counts == (0, 1))
        await writer.close()
        await database.close()
    }

    @Test func aRehearsalIsNotInAGroup() async throws {
        try await withDatabase(.sqlite) { database in
            try await database.run("CREATE TABLE t (id \(.int) PRIMARY KEY)")
            let (gate, rehearsal) = (Gate(), Gate())
            try await withThrowingTaskGroup(of: [Int].self) { group in
                group.addTask {
                    try await database.write { _ in gate.pass() }
                    return []
                }
                await gate.arrived()
                group.addTask {
                    try await database.rehearse { transaction in
                        try transaction.run("INSERT INTO t VALUES (1)")
                        rehearsal.pass()
                        return try transaction.values("SELECT id FROM t ORDER BY id")
                    }
                }
                try await waitUntilWaiting(database, atLeast: 1)
                group.addTask {
                    try await database.write { try $0.values("INSERT INTO t VALUES (2) RETURNING id") }
                }
                try await waitUntilWaiting(database, atLeast: 2)
                gate.open()
                await rehearsal.arrived()
                // The write that came after it has not begun.
                #expect(database.statistics.waiting == 1)
                rehearsal.open()
                let seen = try await group.reduce(into: Set<[Int]>()) { $0.insert($1) }
                #expect(seen == [[], [1], [2]])
            }
        }
    }

    @Test func twoDatabasesOnOneFileTakeTurns() async throws {
        let place = try await TestDatabase.place(.sqlite)
        let first = try await place.open(removes: false)
        let second = try await place.open(removes: false)
        try await first.run("CREATE TABLE t (id \(.autoID), who \(.int) NOT NULL)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (who, database) in [first, second].enumerated() {
                for _ in 0..<50 {
                    group.addTask { try await database.run("INSERT INTO t (who) VALUES (\(who))") }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await second.value("SELECT count(*) FROM t WHERE who = 0", as: Int.self) == 50)
        #expect(try await first.value("SELECT count(*) FROM t WHERE who = 1", as: Int.self) == 50)
        await first.close()
        await second.close()
        await place.remove()
    }
}

/// Returns when that many calls wait for a connection.
func waitUntilWaiting(_ database: any Database, atLeast count: Int) async throws {
    while database.statistics.waiting < count { await Task.yield() }
}
