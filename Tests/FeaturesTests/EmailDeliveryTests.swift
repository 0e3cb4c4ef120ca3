import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Delivery by Resend.
@Suite struct EmailDeliveryTests {
    @Test(arguments: TestDatabase.available)
    func anEmailIsSentAsTheProviderWantsIt(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            try await Outbox.send(platform, Outbox.email())
            try await platform.drainJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            #expect(
                providers.emails == [
                    [
                        "from": "InstaInstru <hello@example.com>", "to": ["jane@example.com"],
                        "subject": "Your lesson", "text": "It is on.", "html": "<p>It is on.</p>",
                    ]
                ])
            let key = FakeProviders.header("Idempotency-Key", try #require(providers.posts.first))
            #expect(key == "booking/1/email")
            let row = try await platform.rows(
                "SELECT provider, provider_message_id FROM event_outbox WHERE sent_at IS NOT NULL")
            #expect(row == ["provider=resend provider_message_id=49a3999c-0ce1-4ea6-ab68-100000000000"])
            #expect(try await platform.count("mailbox_messages") == 0)
        }
    }

    static let unknown: [FakeProviders.Trouble] = [
        .lost(.timedOut), .deaf(.timedOut), .lost(.unreachable), .deaf(.unreachable), .deaf(.tooLarge),
        .answer(500, .null), .answer(502, "<html>"), .answer(503, ["name": "application_error"]),
        .answer(200, ["ok": true]), .answer(200, ["id": "\u{1B}[2J"]), .answer(408, .null),
        .answer(409, ["name": "concurrent_idempotent_requests"]),
    ]

    @Test(arguments: unknown.indices)
    func whatMayHaveBeenTakenIsRepeatedWithItsKey(index: Int) async throws {
        try await Outbox.with(TestDatabase.available[index % TestDatabase.available.count]) {
            platform, providers in
            providers.trouble(sends: [Self.unknown[index], Self.unknown[index]])
            try await Outbox.send(platform, Outbox.email())
            try await platform.drainJobs()
            let state = try #require(try await Outbox.states(platform).first)
            #expect(state.hasPrefix("SENDING/1/resend: "))
            // The second call uses what the first one used, or the key would not fit its body.
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["SENT/3/"])
            #expect(providers.emails.count == 1)
            #expect(Set(providers.posts.map(\.body)).count == 1)
            #expect(platform.now == TestClock.start + .seconds(150), "waits of 30 and 120 seconds")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEmailIsGivenUpAfterFiveCalls(dialect: Dialect) async throws {
        let logs = LogCollector()
        try await Outbox.with(dialect, logs: logs) { platform, providers in
            providers.trouble(sends: Array(repeating: .lost(.timedOut), count: 9))
            try await Outbox.send(platform, Outbox.email())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["UNKNOWN/5/resend: no answer in time"])
            #expect(providers.posts.count == 5)
            #expect(platform.now == TestClock.start + .seconds(30 + 120 + 600 + 1_800))
            #expect(try await platform.count("jobs", where: "state = 'discarded'") == 1)
            let lines = logs.lines.joined()
            #expect(lines.contains("a message is given up") && lines.contains("j***@example.com"))
            #expect(!lines.contains("jane@") && !lines.contains(FakeProviders.resendKey))
        }
    }

    static let refusals: [(answer: FakeProviders.Trouble?, to: String, code: String)] = [
        (nil, "joe@invalid", "resend: 422 validation_error"),
        (.answer(401, ["name": "missing_api_key"]), Outbox.jane, "resend: 401 missing_api_key"),
        (.answer(403, ["name": "invalid_api_key"]), Outbox.jane, "resend: 403 invalid_api_key"),
        (.answer(403, ["name": "jane@example.com is bad"]), Outbox.jane, "resend: 403"),
        (.answer(302, .null), Outbox.jane, "resend: 302"),
        (
            .answer(409, ["name": "invalid_idempotent_request"]), Outbox.jane,
            "resend: 409 invalid_idempotent_request"
        ),
        (.lost(.invalidURL), Outbox.jane, "resend: the URL is not valid"),
    ]

    @Test(arguments: refusals.indices)
    func aRefusalIsFinalAndKeepsOnlyTheCode(index: Int) async throws {
        let (answer, to, code) = Self.refusals[index]
        try await Outbox.with(TestDatabase.available[index % TestDatabase.available.count]) {
            platform, providers in
            providers.trouble(sends: [answer])
            try await Outbox.send(platform, Outbox.email(to: to))
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["FAILED/1/\(code)"])
            #expect(
                try await platform.rows("SELECT state, error FROM jobs") == ["state=discarded error=\(code)"])
            #expect(providers.posts.count == 1 && providers.emails.isEmpty)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLimitIsWaitedForAndUsesUpNoCall(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            let wait = FakeProviders.Trouble.answer(
                429, ["name": "rate_limit_exceeded"], [("retry-after", "7")])
            providers.trouble(
                sends: Array(repeating: wait, count: 6) + [.answer(429, ["name": "daily_quota_exceeded"])])
            try await Outbox.send(platform, Outbox.email())
            try await platform.drainJobs()
            #expect(try await Outbox.states(platform) == ["PENDING/0/resend: 429 rate_limit_exceeded"])
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            #expect(platform.now == TestClock.start + .seconds(6 * 7 + 3_600))
        }
    }

    @Test(arguments: TestDatabase.available)
    func nothingIsSentADayLate(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            try await Outbox.send(platform, Outbox.email(key: "sent"))
            try await platform.drainJobs()
            providers.trouble(sends: [.deaf(.timedOut)])
            try await Outbox.send(platform, Outbox.email(key: "doubt"))
            try await platform.drainJobs()
            try await Outbox.send(platform, Outbox.email(key: "late"))
            platform.advance(by: OutboxMessage.lifetime + .seconds(1))
            try await platform.finishJobs()
            let states = try await Outbox.states(platform)
            #expect(states == ["SENT/1/", "UNKNOWN/1/expired", "FAILED/0/expired"])
            #expect(providers.posts.count == 2, "nothing after Resend has forgotten the key")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusalOfARepeatSaysNothingOfTheFirstCall(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.trouble(sends: [.deaf(.timedOut), .answer(403, ["name": "invalid_api_key"])])
            try await Outbox.send(platform, Outbox.email())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["UNKNOWN/2/resend: 403 invalid_api_key"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerThatDiesBetweenCallAndOutcomeDoesNotSendTwice(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            let name = "email \(ULIDGenerator().next(at: .now()))"
            let gate = Gate.named(name)
            providers.trouble(sends: [.gate(name)])
            try await Outbox.send(platform, Outbox.email())
            async let first = platform.worker.drain()
            await gate.arrived()
            let other = Worker(
                database: platform.database, registry: platform.registry, environment: platform.environment)
            platform.advance(by: .seconds(20))
            await other.renewAndRescue()
            #expect(try await other.drain() == 1)
            #expect(try await Outbox.states(platform) == ["SENT/2/"])
            await gate.open()
            _ = try await first
            #expect(try await Outbox.states(platform) == ["SENT/2/"])
            #expect(providers.posts.count == 2 && providers.emails.count == 1)
        }
    }
}
