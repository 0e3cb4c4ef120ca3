import Storage
import TestSupport
import Testing

/// Rows that are lent where they lie.
@Suite struct ScanTests {
    static func text(_ cell: UnsafeBufferPointer<UInt8>?) -> String? {
        cell.map { String(decoding: $0, as: UTF8.self) }
    }

    static func make(_ database: any Database) async throws {
        try await database.run(
            "CREATE TABLE t (n \(.int) PRIMARY KEY, word TEXT, data \(.bytes), small INTEGER)")
        try await database.write { tx in
            let (text, data): (String?, [UInt8]?) = (nil, nil)
            try tx.run("INSERT INTO t VALUES (-9223372036854775807, 'a\\é😀', \([UInt8(0), 255, 7]), -3)")
            try tx.run("INSERT INTO t VALUES (0, '', \([UInt8]()), NULL)")
            try tx.run("INSERT INTO t VALUES (9223372036854775807, \(text), \(data), 70000)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func cellsAreWhatWasStored(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await Self.make(database)
            let seen = try await database.read { snapshot in
                var seen: [[String]] = []
                try snapshot.scan("SELECT n, word, data, small FROM t ORDER BY n") { row in
                    seen.append([
                        "\(try row.int(at: 0) ?? 1)", Self.text(try row.text(at: 1)) ?? "nil",
                        "\(try row.bytes(at: 2).map(Array.init) ?? [1])", "\(try row.int(at: 3) ?? 1)",
                    ])
                }
                return seen
            }
            #expect(
                seen == [
                    ["-9223372036854775807", "a\\é😀", "[0, 255, 7]", "-3"], ["0", "", "[]", "1"],
                    ["9223372036854775807", "nil", "[1]", "70000"],
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCellOfAnotherKindIsRefused(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await Self.make(database)
            try await database.read { snapshot in
                try snapshot.scan("SELECT n, word, data FROM t WHERE n < 0") { row in
                    for index in [0, 2] { #expect(Self.refuses { _ = try row.text(at: index) }) }
                    for index in [0, 1] { #expect(Self.refuses { _ = try row.bytes(at: index) }) }
                    for index in [1, 2] { #expect(Self.refuses { _ = try row.int(at: index) }) }
                }
            }
        }
    }

    static func refuses(_ body: () throws -> Void) -> Bool {
        do { try body() } catch StorageError.decode { return true } catch { return false }
        return false
    }

    @Test(arguments: TestDatabase.available)
    func theBodyMayScanAgainAndEndTheWalk(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await Self.make(database)
            let numbers = try await database.read { snapshot in
                var numbers: [Int] = []
                do {
                    try snapshot.scan("SELECT n FROM t ORDER BY n") { outer in
                        let n = try outer.int(at: 0) ?? 1
                        try snapshot.scan("SELECT n FROM t WHERE n >= \(n) ORDER BY n") { inner in
                            numbers.append(try inner.int(at: 0) ?? 1)
                        }
                        if n == 0 { throw Stop() }
                    }
                } catch is Stop {}
                // The snapshot is as good as before.
                numbers.append(try snapshot.value("SELECT count(*) FROM t") ?? 1)
                return numbers
            }
            #expect(numbers == [-.max, 0, .max, 0, .max, 3])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedStatementIsAnError(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await Self.make(database)
            await #expect(throws: StorageError.self) {
                try await database.read { try $0.scan("SELECT missing FROM t") { _ in } }
            }
            #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == 3)
        }
    }

    private struct Stop: Error {}
}
