import JSON
import Storage
import TestSupport
import Testing

@Suite struct ValueTests {
    enum State: String, SQLBindable, SQLDecodable, Codable { case queued, running }
    enum Level: Int, SQLBindable, SQLDecodable, Codable { case low = 1, high = 2 }

    struct Record: RowDecodable, Decodable, Equatable {
        var eventID: Int
        var ratio: Double?
        var isOpen: Bool
        var name: String
        var body: [UInt8]
        var state: State
        var level: Level?
        var createdAt: Instant

        init(row: Row) throws {
            eventID = try row["event_id"]
            ratio = try row["ratio"]
            isOpen = try row["is_open"]
            name = try row["name"]
            body = try row["body"]
            state = try row["state"]
            level = try row["level"]
            createdAt = try row["created_at"]
        }

        init(_ id: Int, name: String = "n", ratio: Double? = nil, level: Level? = nil, body: [UInt8] = []) {
            (eventID, self.ratio, isOpen, self.name, self.body) = (id, ratio, id % 2 == 0, name, body)
            (state, self.level, createdAt) = (.running, level, Instant(microseconds: Int64(id) &* 1_000_003))
        }
    }

    static let table: SQL = """
        CREATE TABLE record (
            event_id \(.int) PRIMARY KEY, ratio \(.double), is_open \(.bool) NOT NULL, name \(.text) NOT NULL,
            body \(.bytes) NOT NULL, state \(.text) NOT NULL, level \(.int), created_at \(.instant) NOT NULL
        ) \(.strict)
        """

    static func insert(_ record: Record) -> SQL {
        """
        INSERT INTO record (event_id, ratio, is_open, name, body, state, level, created_at)
        VALUES (\(record.eventID), \(record.ratio), \(record.isOpen), \(record.name), \(record.body),
            \(record.state), \(record.level), \(record.createdAt))
        """
    }

    @Test(arguments: TestDatabase.available)
    func everyTypeSurvivesTheDatabase(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(Self.table)
            let records = [
                Record(1, name: "", ratio: -0.1, level: .high, body: []),
                Record(2, name: "'; DROP TABLE record; -- \"\\\u{1}\n", ratio: 1e300, body: Array(0...255)),
                Record(3, name: "Zoë 🎻 \u{10FFFF} \u{202E}", ratio: nil, level: .low, body: [0, 0]),
                Record(.max, name: String(repeating: "ä", count: 100_000), ratio: .infinity),
                Record(.min + 1, ratio: .leastNonzeroMagnitude),
            ]
            try await database.write { try $0.runMany(records.map(Self.insert)) }
            for record in records {
                let sql: SQL = "SELECT * FROM record WHERE event_id = \(record.eventID)"
                #expect(try await database.read { try $0.one(sql, as: Record.self) } == record)
                #expect(try await database.read { try $0.rows(sql)[0].decode(Record.self) } == record)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMissingValueKeepsItsType(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let row = try await database.read { snapshot in
                try snapshot.rows(
                    """
                    SELECT \(Int?.none) AS a, \(String?.none) AS b, \(Bool?.none) AS c, \([UInt8]?.none) AS d,
                        \(Double?.none) AS e, \(Instant?.none) AS f, \(State?.none) AS g
                    WHERE \(String?.none) IS NULL AND \(Int?.none) IS NULL AND \(1) + \(2) = \(3)
                    """)[0]
            }
            #expect(try row["a"] == Int?.none)
            #expect(try row["b"] == String?.none)
            #expect(try row["g"] == State?.none)
            #expect(throws: StorageError.self) { let _: Int = try row["a"] }
        }
    }

    @Test(arguments: TestDatabase.available)
    func textWithAZeroCharacterIsRefusedClearly(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (name \(.text))")
            let refusal = StorageError.invalidValue("text with U+0000 cannot be stored")
            await #expect(throws: refusal) { try await database.run("INSERT INTO t VALUES (\("a\0b"))") }
            await #expect(throws: refusal) {
                _ = try await database.value(
                    "SELECT count(*) FROM t WHERE name \(in: ["a", "b\0"])", as: Int.self)
            }
            // Nothing was sent, so the transaction goes on.
            try await database.write { transaction in
                try transaction.run("INSERT INTO t VALUES ('kept')")
                #expect(throws: refusal) { try transaction.run("INSERT INTO t VALUES (\("\0"))") }
                try transaction.run("INSERT INTO t VALUES ('too')")
            }
            #expect(try await database.value("SELECT count(*) FROM t", as: Int.self) == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func listsMatchWhatTheyHold(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run(
                "CREATE TABLE t (id \(.int), name \(.text), flag \(.bool), ratio \(.double))")
            let names = ["plain", "a\"b\\c,}{", "\u{1}\u{1F}\t\n", "Zoë", "NULL", ""]
            try await database.write { transaction in
                for (id, name) in names.enumerated() {
                    try transaction.run("INSERT INTO t VALUES (\(id), \(name), \(id < 2), \(Double(id) / 2))")
                }
            }
            for name in names {
                let count: SQL = "SELECT count(*) FROM t WHERE name \(in: [name, "other"])"
                #expect(try await database.value(count, as: Int.self) == 1, "\(name)")
            }
            func ids(_ condition: SQL) async throws -> [Int] {
                try await database.read { try $0.values("SELECT id FROM t WHERE \(condition) ORDER BY id") }
            }
            #expect(try await ids("id \(in: [1, 3, 99])") == [1, 3])
            #expect(try await ids("id \(notIn: [1, 3, 99])") == [0, 2, 4, 5])
            #expect(try await ids("id \(in: [Int]())") == [])
            #expect(try await ids("id \(notIn: [Int]())").count == 6)
            #expect(try await ids("flag \(in: [true])") == [0, 1])
            #expect(try await ids("flag \(in: [Bool]())") == [])
            #expect(try await ids("flag \(notIn: [Bool]())").count == 6)
            #expect(try await ids("ratio \(in: [0.5, 1.5])") == [1, 3])
        }
    }

    @Test(arguments: TestDatabase.available)
    func textIsOrderedByCodePoint(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (name \(.text) NOT NULL)")
            let names = ["b", "B", "a", "_", "Z", "é", "z"]
            try await database.write { try $0.runMany(names.map { "INSERT INTO t VALUES (\($0))" }) }
            let sorted: [String] = try await database.read {
                try $0.values("SELECT name FROM t ORDER BY name")
            }
            #expect(sorted == ["B", "Z", "_", "a", "b", "z", "é"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func jsonIsStoredAsJSON(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (id \(.id) PRIMARY KEY, body \(.json))")
            let tree = try JSONValue(parsing: #"{"n": "x", "list": [1, 2.5, null, "Zoë \\u0000"]}"#)
            try await database.run("INSERT INTO t VALUES ('a', \(tree)), ('b', \(JSONValue?.none))")
            try await database.run(
                "INSERT INTO t VALUES ('c', \(json: "{\"n\": \"y\"}")), ('d', \(RawJSON(tree)))")
            let ids: [String] = try await database.read {
                try $0.values("SELECT id FROM t WHERE body ->> 'n' = \("x") ORDER BY id")
            }
            #expect(ids == ["a", "d"])
            let rows = try await database.read { try $0.rows("SELECT body FROM t ORDER BY id") }
            #expect(try rows[0]["body"] == tree)
            #expect(try rows[1]["body"] == JSONValue?.none)
            await #expect(throws: StorageError.invalidValue("JSON with \\u0000 cannot be stored")) {
                try await database.run("INSERT INTO t VALUES ('e', \(JSONValue.string("\0")))")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func sumsOfIntegersAreIntegers(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.run("CREATE TABLE t (n \(.int) NOT NULL)")
            #expect(try await database.value("SELECT sum(n) FROM t", as: Int.self) == nil)
            #expect(try await database.value("SELECT sum(n) FROM t", as: Int?.self) == .some(nil))
            try await database.run("INSERT INTO t VALUES (4611686018427387904), (4611686018427387903)")
            #expect(try await database.value("SELECT sum(n) FROM t", as: Int.self) == .max)
            try await database.run("INSERT INTO t VALUES (-9223372036854775807)")
            #expect(try await database.value("SELECT min(n) FROM t", as: Int.self) == -.max)
            #expect(
                try await database.value("SELECT avg(n) FROM t WHERE n < 0", as: Double.self)
                    == -9.223372036854775807e18)
        }
    }

    @Test(arguments: TestDatabase.available)
    func decodingProblemsNameTheColumnAndNotTheValue(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let row = try await database.read {
                try $0.rows("SELECT \("secret") AS name, \(7) AS n, \("odd") AS state")[0]
            }
            func problem(_ body: () throws -> Void) -> String {
                do { try body() } catch { return "\(error)" }
                return "none"
            }
            #expect(
                problem { let _: Int = try row["name"] } == "column name: expected an integer, found text")
            #expect(
                problem { let _: Bool = try row["n"] } == "column n: expected a boolean, found an integer")
            #expect(
                problem { let _: State = try row["state"] }
                    == "column state: the stored value is not a known State")
            #expect(
                problem { let _: Int = try row["missing"] }
                    == "no column missing; the statement has name, n, state")
            #expect(problem { _ = try row.get(at: 3, as: Int.self) } == "no column at 3; the statement has 3")
        }
    }

    struct Acronyms: Decodable, Equatable {
        var eventID: Int
        var baseUrl: String
        var isOK: Bool
        var nested: Level?
    }

    @Test(arguments: TestDatabase.available)
    func columnsInSnakeCaseFillProperties(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let row = try await database.read {
                try $0.rows(
                    "SELECT \(1) AS event_id, \("u") AS base_url, \(true) AS is_ok, \(2) AS nested, 0 AS x"
                )[0]
            }
            #expect(
                try row.decode(Acronyms.self) == Acronyms(eventID: 1, baseUrl: "u", isOK: true, nested: .high)
            )
            struct EventId: Decodable { var eventId: Int }
            #expect(try row.decode(EventId.self).eventId == 1)
            struct Missing: Decodable { var absent: Int }
            #expect(throws: StorageError.decode("no column for absent")) { try row.decode(Missing.self) }
        }
    }
}
