import Storage
import TestSupport
import Testing

@Suite struct MigratorTests {
    static let first = Migration("0001_things") { dialect in
        [
            "CREATE TABLE thing (id \(.id) PRIMARY KEY, is_open \(.bool) NOT NULL, body \(.json)) \(.strict)",
            "CREATE INDEX thing_is_open ON thing (is_open)",
        ] + Migration.appendOnly("thing", dialect)
    }
    static let second = Migration("0002_more") { _ in
        ["CREATE TABLE more (id \(.autoID), at \(.instant) NOT NULL)"]
    }
    static let third = Migration("0003_most") { _ in ["CREATE TABLE most (id \(.id))"] }

    @Test(arguments: TestDatabase.available)
    func whatIsPendingIsAppliedOnceAndInOrder(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let migrator = Migrator([Self.first, Self.second])
            #expect(try await migrator.status(database).map(\.state) == [.pending, .pending])
            #expect(try await migrator.migrate(database) == ["0001_things", "0002_more"])
            #expect(try await migrator.migrate(database) == [])
            #expect(
                try await Migrator([Self.first, Self.second, Self.third]).migrate(database) == ["0003_most"])
            let states = try await migrator.status(database)
            #expect(states.map(\.id) == ["0001_things", "0002_more", "0003_most"])
            guard case .applied(let instant) = states[0].state else { return #expect(Bool(false)) }
            #expect(Instant.now() - instant < .seconds(60))
            #expect(states[2].state == .unknown)
            try await database.run("INSERT INTO thing VALUES ('a', \(true), \(json: "{}"))")
        }
    }

    @Test(arguments: TestDatabase.available)
    func manyProcessesMayStartAtOnce(dialect: Dialect) async throws {
        let place = try await TestDatabase.place(dialect)
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let database = try await place.open(removes: false)
                    let ids = try await Migrator([Self.first, Self.second, Self.third]).migrate(database)
                    await database.close()
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["0001_things", "0002_more", "0003_most"])
        await place.remove()
    }

    @Test(arguments: TestDatabase.available)
    func anEditedMigrationIsRefused(dialect: Dialect) async throws {
        let edited = Migration("0001_things") { _ in ["CREATE TABLE thing (id \(.int))"] }
        try await expectRefusal(
            dialect, applied: [Self.first], then: [edited, Self.second],
            naming: ["0001_things", "edited", "new migration"])
    }

    @Test(arguments: TestDatabase.available)
    func anUnknownMigrationIsRefused(dialect: Dialect) async throws {
        try await expectRefusal(
            dialect, applied: [Self.first, Self.second], then: [Self.first],
            naming: ["0002_more", "newer program"])
    }

    @Test(arguments: TestDatabase.available)
    func aMigrationThatComesTooLateIsRefused(dialect: Dialect) async throws {
        try await expectRefusal(
            dialect, applied: [Self.first, Self.third], then: [Self.first, Self.second, Self.third],
            naming: ["0002_more", "after the last"])
    }

    @Test(arguments: TestDatabase.available)
    func migrationsOutOfOrderInTheListAreRefused(dialect: Dialect) async throws {
        try await expectRefusal(
            dialect, applied: [], then: [Self.second, Self.first], naming: ["0001_things", "0002_more"])
        try await expectRefusal(
            dialect, applied: [], then: [Self.first, Self.first], naming: ["0001_things"])
    }

    @Test(arguments: TestDatabase.available)
    func aMigrationThatFailsIsUndoneAndTheOnesBeforeStay(dialect: Dialect) async throws {
        let broken = Migration("0002_broken") { _ in
            ["CREATE TABLE half (id \(.int))", "CREATE TABEL oops (id \(.int))"]
        }
        try await withDatabase(dialect) { database in
            let error = await #expect(throws: StorageError.self) {
                try await Migrator([Self.first, broken]).migrate(database)
            }
            guard case .migration(let text)? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(text.contains("0002_broken") && text.contains("undone"))
            let applied = try await Migrator([Self.first, Self.second]).migrate(database)
            #expect(applied == ["0002_more"])
            await #expect(throws: StorageError.self) { try await database.run("SELECT * FROM half") }
        }
    }

    private func expectRefusal(
        _ dialect: Dialect, applied: [Migration], then migrations: [Migration], naming words: [String]
    ) async throws {
        try await withDatabase(dialect) { database in
            try await Migrator(applied).migrate(database)
            let before = try await Migrator(applied).status(database)
            let error = await #expect(throws: StorageError.self) {
                try await Migrator(migrations).migrate(database)
            }
            guard case .migration(let text)? = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            for word in words { #expect(text.contains(word), "\(text)") }
            #expect(try await Migrator(applied).status(database) == before)
        }
    }
}
