import Storage
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: TestDatabase.available.contains(.postgres)))
struct ReconnectTests {
    /// Ends every other session of the test's schema, as a restart would.
    static func terminateOthers(_ place: TestPlace) async throws {
        let database = try await place.open(removes: false)
        try await database.run(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE application_name = \(place.name) AND pid <> pg_backend_pid()
            """)
        await database.close()
    }

    static func withNamedDatabase(_ poolSize: Int, _ body: (any Database, TestPlace) async throws -> Void)
        async throws
    {
        let place = try await TestDatabase.place(.postgres)
        var settings = TestDatabase.settings
        settings.poolSize = poolSize
        settings.applicationName = place.name
        let database = try await place.open(settings: settings)
        try await body(database, place)
        await database.close()
    }

    @Test func callsGoOnAfterTheirConnectionsWereClosed() async throws {
        try await Self.withNamedDatabase(2) { database, place in
            try await database.run("CREATE TABLE t (id \(.int))")
            for round in 1...3 {
                try await Self.terminateOthers(place)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask { try await database.run("INSERT INTO t VALUES (1)") }
                        group.addTask { _ = try await database.value("SELECT count(*) FROM t", as: Int.self) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == round * 4)
            }
            #expect(database.statistics.reconnects >= 3)
        }
    }

    @Test func aTransactionThatLosesItsConnectionBeforeTheCommitRunsAgain() async throws {
        try await Self.withNamedDatabase(1) { database, place in
            try await database.run("CREATE TABLE t (id \(.int))")
            let gate = Gate()
            let runs = Counter()
            async let written: Void = database.write { transaction in
                let run = runs.next()
                try transaction.run("INSERT INTO t VALUES (\(run))")
                if run == 1 { gate.pass() }
                try transaction.run("INSERT INTO t VALUES (\(run * 10))")
            }
            await gate.arrived()
            try await Self.terminateOthers(place)
            gate.open()
            try await written
            let ids: [Int] = try await database.read { try $0.values("SELECT id FROM t ORDER BY id") }
            #expect(ids == [2, 20])
        }
    }

    @Test func aCommitWhoseAnswerIsLostIsAnErrorAndNotRepeated() async throws {
        try await Self.withNamedDatabase(1) { database, place in
            try await database.run("CREATE TABLE t (id \(.int))")
            let gate = Gate()
            let runs = Counter()
            let write = Task {
                try await database.write { transaction in
                    _ = runs.next()
                    try transaction.run("INSERT INTO t VALUES (1)")
                    gate.pass()
                }
            }
            await gate.arrived()
            try await Self.terminateOthers(place)
            gate.open()
            let error = await #expect(throws: StorageError.self) { try await write.value }
            guard case .connection(let text)? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(text.contains("outcome") && text.contains("unknown"))
            #expect(runs.next() == 2)
            #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }

    @Test func aListenerHearsAgainAndIsToldToLook() async throws {
        try await Self.withNamedDatabase(1) { database, place in
            let c = uniqueChannel()
            var heard = database.listen(c).makeAsyncIterator()
            #expect(await heard.next() == "")
            try await Self.terminateOthers(place)
            #expect(await heard.next() == "", "some may have been missed")
            try await database.write { try $0.notify(c, "after") }
            #expect(await heard.next() == "after")
        }
    }

    @Test func aTransactionThatSitsTooLongIsEnded() async throws {
        let place = try await TestDatabase.place(.postgres)
        var settings = TestDatabase.settings
        settings.poolSize = 1
        settings.idleInTransactionTimeout = .milliseconds(50)
        let database = try await place.open(settings: settings)
        let observer = try await place.open(removes: false)
        let gate = Gate()
        let write = Task {
            try await database.write { transaction in
                let pid = try transaction.value("SELECT pg_backend_pid()", as: Int.self)
                gate.pass()
                try transaction.run("SELECT \(pid)")
            }
        }
        await gate.arrived()
        let sitting: SQL =
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE state = 'idle in transaction' AND query LIKE '%pg_backend_pid%'
            """
        while try await observer.value(sitting, as: Int.self) != 0 {}
        gate.open()
        let error = await #expect(throws: StorageError.self) { try await write.value }
        guard case .timeout(let text)? = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(text.contains("idleInTransactionTimeout"))
        #expect(try await database.value("SELECT 1", as: Int.self) == 1)
        await observer.close()
        await database.close()
    }
}

/// Counts from 1.
final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock {
            $0 += 1; return $0
        }
    }
}
