import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The outbox with the providers that it has without settings: the local mailbox.
@Suite struct OutboxTests {
    struct Undo: Error {}

    @Test(arguments: TestDatabase.available)
    func aMessageGoesToTheMailboxThroughAWorker(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let ids = try await Outbox.send(platform, Outbox.email(), Outbox.sms())
            #expect(try await Outbox.states(platform) == ["PENDING/0/", "PENDING/0/"])
            try await platform.drainJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/", "SENT/1/"])
            let kept = try await platform.database.read { try MailboxMessage.list(10, $0) }
            #expect(kept.map(\.id) == ids.reversed(), "the newest first")
            #expect(kept.last?.recipient == Outbox.jane && kept.last?.text == "It is on.")
            #expect(kept.last?.html == "<p>It is on.</p>" && kept.last?.subject == "Your lesson")
            #expect(kept.first?.kind == .sms && kept.first?.text == Outbox.sms().text)
            #expect(try await platform.count("jobs") == 0)
            let only = try await platform.database.read { try MailboxMessage.list(10, to: Outbox.jane, $0) }
            #expect(only.map(\.id) == [ids[0]])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theWordsOfASentMessageAreErasedFromTheOutbox(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await Outbox.send(platform, Outbox.email(text: "The code is 424242."))
            #expect(
                try await platform.rows("SELECT body FROM event_outbox").first?.contains("424242") == true)
            try await platform.drainJobs()
            #expect(try await platform.count("event_outbox", where: "body IS NULL AND html IS NULL") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSecondMessageWithTheSameKeyIsTheFirst(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let ids = try await Outbox.send(platform, Outbox.email(), Outbox.email(text: "Something else."))
            #expect(ids[0] == ids[1])
            try await platform.drainJobs()
            #expect(try await Outbox.send(platform, Outbox.email()) == [ids[0]], "also after it was sent")
            #expect(try await platform.drainJobs() == 0)
            let kept = try await platform.database.read { try MailboxMessage.list(10, $0) }
            #expect(kept.map(\.text) == ["It is on."])
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoTransactionsAtOnceAddAMessageOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let ids = try await withThrowingTaskGroup(of: [ULID].self) { group in
                for _ in 0..<8 { group.addTask { try await Outbox.send(platform, Outbox.email()) } }
                return try await group.reduce(into: Set<ULID>()) { $0.formUnion($1) }
            }
            #expect(ids.count == 1)
            #expect(try await platform.count("event_outbox") == 1)
            #expect(try await platform.count("jobs") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMessageOfATransactionThatWasUndoneDoesNotExist(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            await #expect(throws: Undo.self) {
                try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
                    try tx.send(Outbox.email())
                    throw Undo()
                }
            }
            let added = try await [platform.count("event_outbox"), platform.count("jobs")]
            #expect(added == [0, 0])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPreviewShowsTheMessageWithoutItsRecipientAndAddsNothing(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let effects = try await platform.database.transaction(
                platform.context(), category: .admin, keeping: false
            ) { tx, unit in
                try tx.send(Outbox.email())
                try tx.send(Outbox.email())
                return unit.effects
            }
            #expect(effects.map(\.kind) == ["message", "job"], "the duplicate has no effect")
            #expect(effects[0].action == "booking.confirmed" && effects[0].resourceType == "email")
            let shown = try JSONCoding.value(effects).text
            #expect(shown.contains("j***@example.com") && !shown.contains("jane"))
            #expect(try await platform.count("event_outbox") == 0)
            #expect(try await platform.drainJobs() == 0)
        }
    }

    static let refused: [(message: OutgoingMessage, field: String)] = [
        (Outbox.email(to: "jane"), "recipient"), (Outbox.email(to: "a@b@c.example"), "recipient"),
        (Outbox.email(to: "jane@example.com\nBcc: x@example.com"), "recipient"),
        (Outbox.email(to: "jane@example.com,joe@example.com"), "recipient"),
        (Outbox.email(text: ""), "text"), (Outbox.email(key: ""), "idempotency_key"),
        (Outbox.email(key: "a b"), "idempotency_key"), (Outbox.email(key: "ä"), "idempotency_key"),
        (Outbox.email(key: String(repeating: "k", count: 257)), "idempotency_key"),
        (.email(to: Outbox.jane, subject: "a\nb", text: "x", event: "e", key: "k"), "subject"),
        (.email(to: Outbox.jane, subject: "", text: "x", event: "e", key: "k"), "subject"),
        (Outbox.sms(to: "2125554567"), "recipient"), (Outbox.sms(to: "+02125554567"), "recipient"),
        (Outbox.sms(to: "+1212555456789012"), "recipient"), (Outbox.sms(to: "+1212555456٧"), "recipient"),
        (Outbox.sms(text: String(repeating: "x", count: 1_601)), "text"),
    ]

    @Test(arguments: refused.indices)
    func aMessageThatNoProviderWouldTakeIsRefusedAtOnce(index: Int) async throws {
        let (message, field) = Self.refused[index]
        try await TestPlatform.with(.sqlite) { platform in
            let failure = await #expect(throws: Failure.self) { try await Outbox.send(platform, message) }
            #expect(failure?.fields.map(\.name) == [field])
            #expect(failure?.message.contains("jane@") == false && failure?.message.contains("555") == false)
        }
    }

    @Test func aRecipientIsMasked() {
        #expect(Recipient.masked("jane@example.com") == "j***@example.com")
        #expect(Recipient.masked("j@example.com") == "***@example.com")
        #expect(Recipient.masked("+12125554567") == "+1******4567")
        #expect(Recipient.masked("+123") == "***")
        #expect(Recipient.masked("call me at 5554567") == "***")
    }

    @Test(arguments: TestDatabase.available)
    func onlyAMessageWithoutAJobIsDispatched(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let dispatch = { @Sendable () async throws in
                try await platform.database.transaction(platform.context(), category: .automated) { tx, _ in
                    _ = try tx.enqueue(DispatchPending())
                }
            }
            try await Outbox.send(platform, Outbox.email(), Outbox.email(key: "other"))
            try await platform.execute("DELETE FROM jobs WHERE unique_key LIKE 'outbox:%'")
            try await Outbox.send(platform, Outbox.email(key: "third"))
            try await dispatch()
            #expect(try await platform.drainJobs() == 4)
            #expect(try await Outbox.states(platform) == ["SENT/1/", "SENT/1/", "SENT/1/"])
            try await dispatch()
            #expect(try await platform.drainJobs() == 1, "nothing is left to dispatch")
        }
    }

    @Test func theDispatcherRunsEveryHalfMinute() throws {
        let entries = DispatchPending.schedules(Configuration())
        #expect(entries.map(\.name) == ["notifications-dispatch-pending"])
        #expect(entries.first?.cadence == .every(seconds: 30))
        #expect(DispatchPending.queue == .notifications && DispatchPending.priority == 6)
    }
}
