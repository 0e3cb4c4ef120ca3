import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Delivery by Twilio, which has no idempotency key.
@Suite struct SMSDeliveryTests {
    @Test(arguments: TestDatabase.available)
    func anSMSIsSentAsTheProviderWantsIt(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            try await Outbox.send(platform, Outbox.sms())
            try await platform.drainJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            let text = try #require(providers.texts.first)
            #expect(text["body"] == "Lesson at 5 & 1+1 ☺" && text["to"] == "+12125554567")
            #expect(text["messaging_service_sid"] == .string(FakeProviders.service))
            #expect(
                providers.requests.count == 1
                    && FakeProviders.header("User-Agent", providers.requests[0]) != nil)
        }
    }

    static let unknown: [FakeProviders.Trouble] = [
        .deaf(.timedOut), .deaf(.unreachable), .answer(500, .null), .answer(504, "<html>"),
        .answer(200, "welcome"), .lost(.timedOut),
    ]

    @Test(arguments: unknown.indices)
    func whatMayHaveBeenTakenIsLookedUpBeforeItIsSentAgain(index: Int) async throws {
        try await Outbox.with(TestDatabase.available[index % TestDatabase.available.count]) {
            platform, providers in
            // Another one of the same words, which is known not to be it.
            try await Outbox.send(platform, Outbox.sms(key: "booking/2/sms"))
            try await platform.drainJobs()
            providers.trouble(sends: [Self.unknown[index]])
            try await Outbox.send(platform, Outbox.sms())
            try await platform.drainJobs()
            platform.advance(by: .seconds(30))
            let isTaken = providers.texts.count == 2
            try await platform.drainJobs()
            #expect(providers.requests.count == 2, "not before it can be known")
            try await platform.finishJobs()
            let states = try await Outbox.states(platform)
            #expect(states == ["SENT/1/", isTaken ? "SENT/1/" : "SENT/2/"])
            #expect(providers.texts.count == 2)
            let known = try await platform.count("event_outbox", where: "provider_message_id IS NOT NULL")
            #expect(known == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatCannotBeDecidedEndsUnknownAndIsNotSentTwice(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            // Twilio changed the words on the way.
            providers.trouble(sends: [.lost(.timedOut)])
            providers.add(text: "Sent from your Twilio trial account - hello", to: Outbox.number)
            try await Outbox.send(platform, Outbox.sms())
            try await platform.finishJobs()
            let state = try #require(try await Outbox.states(platform).first)
            #expect(state == "UNKNOWN/1/twilio has another message to this number")
            #expect(providers.posts.count == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func messagesFromThemAndFromLongAgoAreNotIt(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.add(text: Outbox.sms().text, to: Outbox.number)
            platform.advance(by: .seconds(600))
            providers.add(text: "STOP", to: Outbox.number, direction: "inbound")
            providers.trouble(sends: [.lost(.timedOut)])
            try await Outbox.send(platform, Outbox.sms())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["SENT/2/"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOutageOfTheListDecidesNothing(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.trouble(
                sends: [.deaf(.timedOut)],
                lists: [.lost(.timedOut), .answer(503, .null), .answer(200, ["messages": "none"])])
            try await Outbox.send(platform, Outbox.sms())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            #expect(providers.posts.count == 1 && providers.requests.count == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anSMSIsGivenUpAfterFiveCallsWithALastLook(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.trouble(sends: Array(repeating: .lost(.timedOut), count: 9))
            try await Outbox.send(platform, Outbox.sms())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["FAILED/5/no attempt is left"])
            #expect(providers.posts.count == 5)
        }
    }

    static let refusals: [(answer: FakeProviders.Trouble?, to: String, code: String)] = [
        (nil, "+15005550001", "twilio: 400 21211"), (nil, "+15005550004", "twilio: 400 21610"),
        (.answer(401, ["code": 20003]), Outbox.number, "twilio: 401 20003"),
        (.answer(404, "+12125554567"), Outbox.number, "twilio: 404"),
        (
            .answer(201, ["sid": "SM1", "status": "failed", "error_code": 30034]), Outbox.number,
            "twilio: failed 30034"
        ),
    ]

    @Test(arguments: refusals.indices)
    func aRefusalIsFinalAndKeepsOnlyTheCode(index: Int) async throws {
        let (answer, to, code) = Self.refusals[index]
        let logs = LogCollector()
        try await Outbox.with(TestDatabase.available[index % TestDatabase.available.count], logs: logs) {
            platform, providers in
            providers.trouble(sends: [answer])
            try await Outbox.send(platform, Outbox.sms(to: to))
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["FAILED/1/\(code)"])
            #expect(providers.posts.count == 1)
            let lines = logs.lines.joined()
            #expect(lines.contains(Recipient.masked(to)) && !lines.contains(to))
            #expect(!lines.contains(FakeProviders.token))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLimitIsWaitedFor(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.trouble(sends: [.answer(429, ["code": 20429], [("Retry-After", "3")])])
            try await Outbox.send(platform, Outbox.sms())
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            #expect(platform.now == TestClock.start + .seconds(3) && providers.requests.count == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWorkerThatDiesBetweenCallAndOutcomeDoesNotSendTwice(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            let name = "sms \(ULIDGenerator().next(at: .now()))"
            let gate = Gate.named(name)
            providers.trouble(sends: [.gate(name)])
            try await Outbox.send(platform, Outbox.sms())
            async let first = platform.worker.drain()
            await gate.arrived()
            let other = Worker(
                database: platform.database, registry: platform.registry, environment: platform.environment)
            platform.advance(by: .seconds(20))
            await other.renewAndRescue()
            #expect(try await other.drain() == 1)
            #expect(providers.requests.count == 1, "too early to ask")
            platform.advance(by: .seconds(40))
            #expect(try await other.drain() == 1)
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            await gate.open()
            _ = try await first
            #expect(try await Outbox.states(platform) == ["SENT/1/"])
            #expect(providers.posts.count == 1 && providers.texts.count == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anotherProviderDoesNotSendWhatTheFirstMayHave(dialect: Dialect) async throws {
        try await Outbox.with(dialect) { platform, providers in
            providers.trouble(sends: [.deaf(.timedOut)])
            try await Outbox.send(platform, Outbox.sms())
            try await platform.drainJobs()
            try await platform.execute("UPDATE event_outbox SET provider = 'mailbox'")
            try await platform.finishJobs()
            #expect(try await Outbox.states(platform) == ["UNKNOWN/1/another provider may have it"])
        }
    }

    /// Whatever happens to calls, people get a message once or not at all, and the
    /// outbox says which, or that it does not know.
    @Test(arguments: TestDatabase.available)
    func noTroubleSendsTwice(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await Outbox.with(dialect) { platform, providers in
            for round in 0..<25 {
                let (emails, texts) = (providers.emails.count, providers.texts.count)
                providers.trouble(
                    sends: (0..<8).map { _ in Self.trouble(&random) },
                    lists: (0..<8).map { _ in Self.trouble(&random) })
                try await Outbox.send(
                    platform, Outbox.email(key: "e\(round)"),
                    Outbox.sms(text: "round \(round)", key: "s\(round)"))
                try await platform.finishJobs()
                let states = try await Outbox.states(platform).suffix(2).map { $0.prefix { $0 != "/" } }
                let got = [providers.emails.count - emails, providers.texts.count - texts]
                for (state, count) in zip(states, got) {
                    let fits = ["SENT": [1], "FAILED": [0], "UNKNOWN": [0, 1]][state]?.contains(count)
                    #expect(fits == true, "seed \(seed), round \(round): \(state) and \(count) messages")
                }
                platform.advance(by: .seconds(600))
            }
        }
    }

    private static func trouble(_ random: inout SeededGenerator) -> FakeProviders.Trouble? {
        let all: [FakeProviders.Trouble?] = [
            nil, .lost(.timedOut), .deaf(.timedOut), .lost(.unreachable), .deaf(.unreachable),
            .answer(500, .null), .answer(429, .null, [("retry-after", "2")]), .answer(400, ["code": 21211]),
        ]
        return all.randomElement(using: &random) ?? nil
    }
}
