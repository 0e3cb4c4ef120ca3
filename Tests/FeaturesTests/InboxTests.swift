import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct InboxTests {
    static func id(_ actor: Actor) throws -> ULID { try #require(actor.id.flatMap { ULID($0) }) }

    @discardableResult
    static func notify(_ platform: TestPlatform, _ user: Actor, _ category: NotificationCategory)
        async throws -> ULID
    {
        let user = try id(user)
        return try await platform.act { tx, _ in
            try tx.notify(
                user: user, category: category, type: "test.happened", title: "It\nhappened",
                body: "Look at it.", data: ["booking_id": "1"])
        }
    }

    static func change(
        _ platform: TestPlatform, _ user: Actor, _ category: String, _ channel: String, _ isOn: Bool
    ) async throws -> Failure? {
        try await platform.failure(
            "notification_preference_change",
            ["category": .string(category), "channel": .string(channel), "enabled": .bool(isOn)], as: user)
    }

    @Test(arguments: TestDatabase.available)
    func aNotificationGoesWhereThePersonWantsIt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let maria = try await platform.person(.student, email: "maria@example.com")
            let id = try Self.id(maria)
            try await platform.execute(
                "UPDATE users SET phone = '+12125550123', phone_verified = \(true) WHERE id = \(id)")
            let sent = {
                try await platform.drainJobs()
                defer { platform.advance(by: .seconds(1)) }
                let messages = try await platform.database.read { try MailboxMessage.list(50, $0) }
                return messages.map(\.kind.rawValue).sorted()
            }
            try await Self.notify(platform, maria, .lessonUpdates)
            #expect(try await sent() == ["email"])
            try await Self.notify(platform, maria, .promotional)
            #expect(try await sent() == ["email"])
            #expect(try await Self.change(platform, maria, "lesson_updates", "email", false) == nil)
            #expect(try await Self.change(platform, maria, "lesson_updates", "sms", true) == nil)
            try await Self.notify(platform, maria, .lessonUpdates)
            #expect(try await sent() == ["email", "sms"])
            try await platform.execute("UPDATE users SET phone_verified = \(false) WHERE id = \(id)")
            try await Self.notify(platform, maria, .lessonUpdates)
            #expect(try await sent() == ["email", "sms"], "the number is not verified")
            #expect(try await platform.count("notifications") == 4, "the list has all of them")
            let mail = try await platform.database.read {
                try MailboxMessage.list(50, $0).first { $0.kind == .email }
            }
            #expect(mail?.subject == "It happened" && mail?.recipient == "maria@example.com")
        }
    }

    @Test(arguments: TestDatabase.available)
    func messagesByPushCannotBeSwitchedOff(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let user = try await platform.person(.student)
            #expect(
                try await Self.change(platform, user, "messages", "push", false)?.reason
                    == "preference_locked")
            #expect(try await Self.change(platform, user, "messages", "push", true) == nil)
            #expect(try await Self.change(platform, user, "messages", "fax", true)?.code == .invalidInput)
            let shown = try await platform.call("notification_preferences_show", as: user)
            let rows = try #require(shown["preferences"]?.arrayValue)
            #expect(rows.count == 18)
            let locked = rows.filter { $0["locked"] == true }
            #expect(locked.count == 1 && locked[0]["enabled"] == true && locked[0]["channel"] == "push")
            await #expect(throws: StorageError.self) {
                try await platform.execute("UPDATE notification_preferences SET enabled = \(false)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aListIsThePersonsOwnAndCountsWhatIsUnread(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, ada) = (try await platform.person(.student), try await platform.person(.instructor))
            var ids: [ULID] = []
            for _ in 0..<3 { ids.append(try await Self.notify(platform, maria, .promotional)) }
            let first = try await platform.call("notification_list", ["limit": 2], as: maria)
            #expect(first["unread_count"] == 3)
            let shown = first["notifications"]?.arrayValue?.map { $0["id"]?.stringValue }
            #expect(shown == [ids[2], ids[1]].map(\.description))
            #expect(first["notifications"]?.arrayValue?.first?["data"]?["booking_id"] == "1")
            let cursor = try #require(first["next_cursor"])
            let second = try await platform.call(
                "notification_list", ["limit": 2, "cursor": cursor], as: maria)
            #expect(second["notifications"]?.arrayValue?.count == 1 && second["next_cursor"] == .null)
            let stolen = try await platform.failure(
                "notification_list", ["limit": 2, "cursor": cursor], as: ada)
            #expect(stolen?.code == .invalidInput)
            let id: JSONObject = ["id": .string(ids[0].description)]
            for name in ["notification_read", "notification_remove"] {
                #expect(try await platform.failure(name, id, as: ada)?.code == .notFound)
            }
            #expect(try await platform.call("notification_read", id, as: maria)["unread_count"] == 2)
            #expect(try await platform.call("notification_read", id, as: maria)["unread_count"] == 2)
            #expect(try await platform.call("notification_read_all", as: maria)["count"] == 2)
            _ = try await platform.call("notification_remove", id, as: maria)
            let rest = try await platform.call("notification_list", as: maria)
            #expect(rest["notifications"]?.arrayValue?.count == 2 && rest["unread_count"] == 0)
            #expect(try await platform.call("notification_list", as: ada)["unread_count"] == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aListCostsAFixedNumberOfStatements(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let maria = try await platform.person(.student)
            var counts: Set<Int> = []
            for _ in 0..<2 {
                for _ in 0..<5 { try await Self.notify(platform, maria, .promotional) }
                _ = platform.database.takeStatementCount()
                _ = try await platform.call("notification_list", as: maria)
                counts.insert(platform.database.takeStatementCount())
            }
            #expect(counts.count == 1)
        }
    }
}
