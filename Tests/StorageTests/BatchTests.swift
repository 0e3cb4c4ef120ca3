import Storage
import TestSupport
import Testing

@Suite struct BatchTests {
    @Test(arguments: TestDatabase.available)
    func batchesFollowEachOtherUntilOneIsNotFull(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (n INTEGER)")
            for (rows, size) in [(5, 2), (4, 2), (0, 2), (1, 2)] {
                for number in 0..<rows { try await database.run("INSERT INTO t VALUES (\(number))") }
                let statement: SQL = "DELETE FROM t WHERE n IN (SELECT n FROM t LIMIT \(size))"
                #expect(try await database.runInBatches(of: size, statement) == rows)
                #expect(try await database.value("SELECT COUNT(*) FROM t", as: Int.self) == 0)
            }
        }
    }
}
