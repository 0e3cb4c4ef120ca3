import Storage
import TestSupport
import Testing

@Suite struct NotificationTests {
    // PostgreSQL's channels belong to the whole database, which all tests share.
    let c = uniqueChannel()
    let d = uniqueChannel()

    @Test(arguments: TestDatabase.available)
    func aPayloadArrivesAfterItsCommit(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            var heard = database.listen(c).makeAsyncIterator()
            #expect(await heard.next() == "", "nothing is missed from here on")
            await #expect(throws: Thrown()) {
                try await database.write { transaction in
                    try transaction.notify(c, "undone")
                    throw Thrown()
                }
            }
            try await database.write { transaction in
                try? transaction.savepoint {
                    try transaction.notify(c, "undone too")
                    throw Thrown()
                }
                try transaction.notify(c, "Zoë's 1")
                try transaction.notify(d, "elsewhere")
                try transaction.notify(c, "2")
            }
            #expect(await heard.next() == "Zoë's 1")
            #expect(await heard.next() == "2")
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyListenerHearsAndALaterOneToo(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            var first = database.listen(c).makeAsyncIterator()
            #expect(await first.next() == "")
            var second = database.listen(c).makeAsyncIterator()
            var other = database.listen(d).makeAsyncIterator()
            #expect(await second.next() == "")
            #expect(await other.next() == "")
            try await database.write { transaction in
                try transaction.notify(c, "x")
                try transaction.notify(d, "y")
            }
            #expect(await first.next() == "x")
            #expect(await second.next() == "x")
            #expect(await other.next() == "y")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSlowListenerIsToldThatItMissedSome(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            let slow = database.listen(c)
            var quick = database.listen(c).makeAsyncIterator()
            #expect(await quick.next() == "")
            for batch in 0..<10 {
                try await database.write { transaction in
                    for n in 0..<100 { try transaction.notify(c, "\(batch * 100 + n)") }
                }
                while await quick.next() != "\(batch * 100 + 99)" {}
            }
            try await database.write { try $0.notify(c, "end") }
            var heard: [String] = []
            for await payload in slow {
                heard.append(payload)
                if payload == "end" { break }
            }
            #expect(heard.count < 600)
            #expect(heard.dropFirst().contains(""))
        }
    }

    @Test(arguments: TestDatabase.available)
    func listeningEndsWithTheDatabase(dialect: Dialect) async throws {
        let database = try await TestDatabase.make(dialect)
        let stream = database.listen(c)
        await database.close()
        for await payload in stream { #expect(payload.isEmpty) }
        for await _ in database.listen(c) { Issue.record("nothing can come") }
    }

    @Test(arguments: TestDatabase.available)
    func aPayloadThatIsTooLongIsRefused(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            try await database.write { transaction in
                try transaction.notify(c, String(repeating: "x", count: 7999))
                #expect(throws: StorageError.self) {
                    try transaction.notify(c, String(repeating: "x", count: 8000))
                }
                #expect(throws: StorageError.self) { try transaction.notify("", "x") }
            }
        }
    }
}
