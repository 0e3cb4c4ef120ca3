import Storage
import TestSupport
import Testing

@Suite struct StreamTests {
    @Test(arguments: TestDatabase.available)
    func aHundredThousandRowsAreWalked(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let (count, sum) = try await database.read { snapshot in
                var (count, sum) = (0, 0)
                try snapshot.forEachRow(Self.numbers(100_000)) { row in
                    count += 1
                    sum += try row["n"] as Int
                }
                return (count, sum)
            }
            #expect(count == 100_000)
            #expect(sum == 5_000_050_000)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 1, 999, 1000, 1001, 2000])
    func everyRowComesOnce(dialect: Dialect, count: Int) async throws {
        try await withDatabase(dialect) { database in
            let seen = try await database.read { snapshot in
                var seen: [Int] = []
                try snapshot.forEachRow(Self.numbers(count)) { seen.append(try $0.get(at: 0)) }
                return seen
            }
            #expect(seen == Array(0..<count).map { $0 + 1 })
        }
    }

    @Test(arguments: TestDatabase.available)
    func theBodyMayRunStatementsAndWalkAgain(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (n \(.int) NOT NULL)")
            try await database.write { transaction in
                try transaction.forEachRow(Self.numbers(30)) { outer in
                    let n: Int = try outer["n"]
                    try transaction.forEachRow(Self.numbers(n)) { inner in
                        try transaction.run("INSERT INTO t VALUES (\(try inner["n"] as Int))")
                    }
                }
            }
            #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == 465)
        }
    }

    @Test(arguments: TestDatabase.available)
    func walksOfAsManyColumnsAreReadEachByItsOwn(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE a (n \(.int) NOT NULL, b \(.bytes) NOT NULL)")
            try await database.run("CREATE TABLE c (t \(.text) NOT NULL, n \(.int) NOT NULL)")
            try await database.run("INSERT INTO a VALUES (1, \([1, 2] as [UInt8]))")
            try await database.run("INSERT INTO c VALUES ('one', 2)")
            let seen = try await database.read { snapshot in
                var seen: [String] = []
                try snapshot.forEachRow("SELECT n, b FROM a") {
                    seen.append("\(try $0["n"] as Int) \(try $0["b"] as [UInt8])")
                }
                try snapshot.forEachRow("SELECT t, n FROM c") {
                    seen.append("\(try $0["t"] as String) \(try $0["n"] as Int)")
                }
                return seen
            }
            #expect(seen == ["1 [1, 2]", "one 2"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWalkEndsWhenTheBodyThrows(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let after = try await database.read { snapshot in
                var count = 0
                #expect(throws: Thrown()) {
                    try snapshot.forEachRow(Self.numbers(5000)) { _ in
                        count += 1
                        if count == 1500 { throw Thrown() }
                    }
                }
                #expect(count == 1500)
                return try snapshot.value("SELECT 7", as: Int.self)
            }
            #expect(after == 7)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedWalkIsThrown(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            await #expect(throws: StorageError.self) {
                try await database.read { try $0.forEachRow("SELECT missing FROM nowhere") { _ in } }
            }
            let one = try await database.value("SELECT 1", as: Int.self)
            #expect(one == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReadThatIsUsuallyAloneMayGoOn(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (n \(.int) NOT NULL)")
            try await database.run("INSERT INTO t VALUES (1)")
            let first: SQL = "SELECT n FROM t"
            for round in 0..<60 {
                let goesOn = round % 7 == 6
                let seen = try await database.read { snapshot in
                    var seen: [Int] = try snapshot.values(first)
                    if goesOn {
                        try snapshot.forEachRow("SELECT n FROM t WHERE n = \(round + 1)") {
                            seen.append(try $0["n"])
                        }
                        // Swallowed or not, a closure that must run again does.
                        seen += (try? snapshot.values(first)) ?? []
                    }
                    return seen
                }
                #expect(seen == Array(repeating: round + 1, count: goesOn ? 3 : 1))
                try await database.run("UPDATE t SET n = n + 1")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLoneReadIsStillReadOnlyAndItsFailureItsOwn(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (n \(.int) NOT NULL)")
            try await database.run("INSERT INTO t VALUES (1), (0)")
            let quotient: SQL = "SELECT 10 % n FROM t WHERE n = \(1)"
            for _ in 0..<5 { _ = try await database.value(quotient, as: Int.self) }
            await #expect(throws: StorageError.self) {
                try await database.read {
                    try $0.values("INSERT INTO t VALUES (5) RETURNING n", as: Int.self)
                }
            }
            for _ in 0..<3 {
                await #expect(throws: Thrown()) {
                    try await database.read { snapshot in
                        _ = try snapshot.rows(quotient)
                        throw Thrown()
                    }
                }
            }
            let count = try await database.value("SELECT count(*) FROM t", as: Int.self)
            #expect(count == 2)
        }
    }

    static func numbers(_ count: Int) -> SQL {
        """
        WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < \(count))
        SELECT n FROM s WHERE n <= \(count)
        """
    }
}
