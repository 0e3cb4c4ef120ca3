import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct MessageTests {
    /// A student, an instructor and their conversation.
    struct Thread: Sendable {
        var student: ULID
        var instructor: ULID
        var conversation: Conversation
    }

    static func thread(_ platform: TestPlatform, student: ULID? = nil) async throws -> Thread {
        let (fresh, instructor) = (
            try await platform.newUser(.student), try await platform.newUser(.instructor)
        )
        let student = student ?? fresh
        let conversation = try await platform.act { tx, context in
            try Conversation.open(student: student, instructor: instructor, tx, context).conversation
        }
        return Thread(student: student, instructor: instructor, conversation: conversation)
    }

    @discardableResult
    static func write(_ platform: TestPlatform, _ thread: Thread, _ text: String, by user: ULID? = nil)
        async throws -> ULID
    {
        try await platform.act { tx, context in
            try thread.conversation.write(text, from: user ?? thread.student, tx, context)
        }
    }

    static func unread(_ platform: TestPlatform, _ user: ULID) async throws -> Int {
        try await platform.database.read { try Conversation.unreadCount(of: user, $0) }
    }

    static func list(_ platform: TestPlatform, _ user: ULID, _ state: ConversationState = .active)
        async throws -> [ConversationRow]
    {
        try await platform.database.read {
            try Conversation.page(of: user, state, after: nil, limit: 50, $0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPairHasOneConversation(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, instructor) = (try await platform.newUser(), try await platform.newUser())
            let ids = try await withThrowingTaskGroup(of: ULID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await platform.act { tx, context in
                            try Conversation.open(student: student, instructor: instructor, tx, context)
                                .conversation.id
                        }
                    }
                }
                return try await group.reduce(into: Set<ULID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            let alone = try await platform.refusal {
                _ = try Conversation.open(student: student, instructor: student, $0, $1)
            }
            #expect(alone?.code == .conflict)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNotificationKeepsNothingOfTheWords(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            try await Self.write(platform, thread, "marzipan")
            let texts = try await platform.rows("SELECT body FROM notifications")
            #expect(texts.count == 1 && !texts.contains { $0.contains("marzipan") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyTheTwoSeeAConversation(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            let message = try await Self.write(platform, thread, "Hello")
            let stranger = try await platform.newUser()
            for user in [thread.student, thread.instructor] {
                let found = try await platform.database.read {
                    try Conversation.find(thread.conversation.id, of: user, $0)
                }
                #expect(found.id == thread.conversation.id)
            }
            let missing = try await platform.refusal { tx, context in
                _ = try Conversation.find(context.newID(), of: stranger, tx)
            }
            let foreign = try await platform.refusal { tx, _ in
                _ = try Conversation.find(thread.conversation.id, of: stranger, tx)
            }
            #expect(missing?.code == .notFound && foreign?.code == .notFound)
            #expect(missing?.reason == foreign?.reason)
            let writing = try await platform.refusal {
                _ = try thread.conversation.write("Hi", from: stranger, $0, $1)
            }
            #expect(writing?.code == .notFound)
            let touching = try await platform.refusal { tx, _ in
                _ = try Message.lock(message, by: stranger, tx)
            }
            #expect(touching?.code == .notFound)
            let theirs = try await platform.refusal { tx, _ in
                _ = try Message.lock(message, by: thread.instructor, tx)
            }
            #expect(theirs?.code == .forbidden)
            #expect(try await Self.list(platform, stranger).isEmpty)
            let read = try await platform.act { tx, context in
                try Message.markRead([message], by: stranger, tx, context)
            }
            #expect(read == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func deletedMessagesAreNotUnread(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            let first = try await Self.write(platform, thread, "One")
            let second = try await Self.write(platform, thread, "Two")
            #expect(try await Self.unread(platform, thread.instructor) == 2)
            #expect(try await Self.unread(platform, thread.student) == 0)
            try await platform.act { tx, context in
                try Message.lock(second, by: thread.student, tx).delete(by: thread.student, tx, context)
            }
            #expect(try await Self.unread(platform, thread.instructor) == 1)
            let row = try #require(try await Self.list(platform, thread.instructor).first)
            #expect(row.unreadCount == 1)
            #expect(row.last?.id == second && row.last?.isDeleted == true && row.last?.content == nil)
            let again = try await platform.refusal { tx, _ in
                _ = try Message.lock(second, by: thread.student, tx)
            }
            #expect(again?.code == .notFound)
            let page = try await platform.database.read {
                try Message.page(of: thread.conversation.id, after: nil, limit: 10, $0)
            }
            #expect(page.map(\.content) == [nil, "One"])
            let read = try await platform.act { tx, context in
                try thread.conversation.markRead(by: thread.instructor, tx, context)
            }
            #expect(read == 2, "the deleted one as well")
            #expect(try await Self.unread(platform, thread.instructor) == 0)
            let seen = try await platform.database.read {
                try Message.page(of: thread.conversation.id, after: nil, limit: 10, $0).last?.readAt
            }
            #expect(seen == platform.now)
            #expect(page.last?.id == first)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMessageCanBeChangedForFiveMinutes(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            let id = try await Self.write(platform, thread, "Helo")
            let edit = { (text: String) in
                try await platform.refusal { tx, context in
                    try Message.lock(id, by: thread.student, tx).edit(text, tx, context)
                }
            }
            platform.advance(by: .seconds(300))
            #expect(try await edit("Hello") == nil)
            #expect(try await edit(" \u{200B} ")?.code == .invalidInput)
            platform.advance(by: .microseconds(1))
            #expect(try await edit("Too late")?.reason == "edit_window_closed")
            let message = try await platform.database.read {
                try Message.page(of: thread.conversation.id, after: nil, limit: 1, $0).first
            }
            #expect(message?.content == "Hello" && message?.editedAt != nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMessageHasUpToAThousandCharacters(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            try await Self.write(platform, thread, "  \(String(repeating: "é", count: 1_000))\n")
            for text in ["", "  \n", String(repeating: "x", count: 1_001)] {
                let failure = try await platform.refusal {
                    _ = try thread.conversation.write(text, from: thread.student, $0, $1)
                }
                #expect(failure?.fields.map(\.name) == ["content"])
            }
            try await Self.write(platform, thread, "a\u{202E}b\u{E0041}c")
            let last = try await Self.list(platform, thread.student).first?.last
            #expect(last?.content == "abc")
            await platform.recorder.flush()
            let entries = try await platform.rows("SELECT * FROM audit_logs WHERE action = 'message.send'")
            #expect(entries.count == 2 && !entries.contains { $0.contains("abc") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNewMessageBringsAConversationBack(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let thread = try await Self.thread(platform)
            try await Self.write(platform, thread, "One")
            try await platform.act { tx, context in
                try thread.conversation.move(to: .trashed, of: thread.instructor, tx, context)
                try thread.conversation.move(to: .archived, of: thread.student, tx, context)
            }
            #expect(try await Self.unread(platform, thread.instructor) == 0, "it was thrown away")
            #expect(try await Self.list(platform, thread.instructor).isEmpty)
            #expect(try await Self.list(platform, thread.instructor, .trashed).count == 1)
            #expect(try await Self.list(platform, thread.student, .archived).count == 1)
            try await Self.write(platform, thread, "Two")
            #expect(try await Self.list(platform, thread.instructor).count == 1)
            #expect(try await Self.unread(platform, thread.instructor) == 2)
            #expect(try await Self.list(platform, thread.student).isEmpty, "their own message does not")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aListIsInTheOrderOfTheLastMessageAtAFixedCost(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let student = try await platform.newUser()
            var threads: [Thread] = []
            for _ in 0..<3 { threads.append(try await Self.thread(platform, student: student)) }
            try await Self.write(platform, threads[0], "One")
            let counted = {
                _ = platform.database.takeStatementCount()
                let ids = try await Self.list(platform, student).map(\.conversation.id)
                return (ids, platform.database.takeStatementCount())
            }
            let (ids, statements) = try await counted()
            #expect(ids == [threads[0], threads[2], threads[1]].map(\.conversation.id))
            for _ in 0..<10 {
                let thread = try await Self.thread(platform, student: student)
                try await Self.write(platform, thread, "Hi", by: thread.instructor)
            }
            let (all, more) = try await counted()
            #expect(all.count == 13 && statements == more)
            let rest = try await platform.database.read { db in
                let first = try Conversation.page(of: student, .active, after: nil, limit: 5, db)
                return try Conversation.page(
                    of: student, .active, after: first.last?.conversation.sortID, limit: 50, db
                ).map(\.conversation.id)
            }
            #expect(rest == Array(all.dropFirst(5)))
        }
    }
}
