import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Operations for people: who may call them, what is kept of a refusal, what
/// happens before the transaction, and arguments with members.
@Suite struct AudienceTests {
    static func with(
        _ dialect: Dialect, configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestPlatform) async throws -> Void
    ) async throws {
        try await TestPlatform.with(dialect, extra: [Self.feature], configure: configure, body)
    }

    @Test(arguments: TestDatabase.available)
    func onlyASignedInPersonCallsWhatIsForPeople(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let person = try await platform.person(.student)
            #expect(try await platform.call("people_greet", ["name": "x"], as: person)["text"] == "hello x")
            for actor in [Actor.guest, platform.admin] {
                let failure = try await platform.failure("people_greet", ["name": "x"], as: actor)
                #expect(failure?.code == .unauthenticated)
            }
            // A denied command of a guest is on record, a person's own success too.
            await platform.recorder.flush()
            #expect(
                try await platform.rows("SELECT status, category FROM audit_logs ORDER BY id")
                    == [
                        "status=success category=user", "status=denied category=user",
                        "status=denied category=user",
                    ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPermissionIsNeededAndARevokeWins(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let student = try await platform.person(.student)
            #expect(try await platform.failure("people_manage", as: student)?.code == .forbidden)
            _ = try await platform.call("people_manage", as: admin)
            let id = JSONValue.string(try #require(admin.id))
            _ = try await platform.call(
                "user_set_permission", ["user_id": id, "permission": "manage_users", "granted": false],
                as: admin)
            let after = try await platform.again(admin)
            #expect(!after.permissions.contains("manage_users"))
            #expect(try await platform.failure("people_manage", as: after)?.reason == "missing_permission")
            let other = JSONValue.string(try #require(student.id))
            _ = try await platform.call(
                "user_set_permission", ["user_id": other, "permission": "manage_users", "granted": true],
                as: admin)
            _ = try await platform.call("people_manage", as: try await platform.again(student))
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatARefusalKeepsStaysAndTheRefusalIsOnRecordOnce(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let failure = try await platform.failure("people_count", ["refuse": true], as: .guest)
            #expect(failure?.code == .unauthenticated)
            #expect(failure?.message == "counted")
            #expect(try await platform.count("counted") == 1)
            _ = try await platform.failure("people_count", ["refuse": true, "keep": false], as: .guest)
            #expect(try await platform.count("counted") == 1)
            await platform.recorder.flush()
            #expect(
                try await platform.rows("SELECT action, status FROM audit_logs ORDER BY id")
                    == ["action=people.count status=failed", "action=people.count status=denied"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsPreparedIsThereInTheTransaction(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let person = try await platform.person(.student)
            let answer = try await platform.call("people_greet", ["name": "x", "loud": true], as: person)
            #expect(answer["text"] == "HELLO X")
        }
    }

    @Test(arguments: TestDatabase.available)
    func problemsWithinRecordsAreNamedByTheirPath(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let slots: JSONValue = [
                ["date": "2026-11-22", "minutes": 60], ["date": "2026-02-30", "minutes": 5, "extra": 1],
            ]
            let failure = try await platform.failure("people_slots", ["slots": slots], as: .guest)
            #expect(
                failure?.fields.map(\.name).sorted() == ["slots.1.date", "slots.1.extra", "slots.1.minutes"])
            let fine: JSONValue = [["date": "2026-11-22"], ["date": "2024-02-29", "minutes": 15]]
            let answer = try await platform.call("people_slots", ["slots": fine], as: .guest)
            #expect(answer["days"] == ["2026-11-22", "2024-02-29"])
            #expect(answer["minutes"] == [60, 15])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMemberOfARecordMayBeNullAndAListIsAList(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let null: JSONValue = [["date": "2026-11-22", "guests": .null, "minutes": .null]]
            let answer = try await platform.call("people_slots", ["slots": null], as: .guest)
            #expect(answer["minutes"] == [60])
            let bare: JSONValue = [["date": "2026-11-22", "guests": "Ada"]]
            let failure = try await platform.failure("people_slots", ["slots": bare], as: .guest)
            #expect(failure?.fields.map(\.name) == ["slots.0.guests"])
        }
        let members = Slot.inputSchema["properties"]
        #expect(members?["date"]?["type"] == "string")
        #expect(members?["guests"]?["anyOf"]?.arrayValue?.last == ["type": "null"])
        #expect(members?["minutes"]?["anyOf"]?.arrayValue?.count == 2)
        #expect(members?["minutes"]?["default"] == 60)
    }

    @Test(arguments: TestDatabase.available)
    func everyBucketHasItsOwnRatePerPersonAndPerAddress(dialect: Dialect) async throws {
        try await Self.with(dialect, configure: { ($0.ratePerMinute, $0.rateBurst) = (600, 100) }) {
            platform in
            // The write bucket holds 10 at once.
            let (one, two) = (try await platform.person(.student), try await platform.person(.student))
            for _ in 0..<10 { _ = try await platform.call("people_greet", ["name": "x"], as: one) }
            #expect(try await platform.failure("people_greet", ["name": "x"], as: one)?.code == .rateLimited)
            _ = try await platform.call("people_greet", ["name": "x"], as: two)
            // Guests share their address's budget, and reads are another bucket.
            for _ in 0..<20 { _ = try await platform.call("people_slots", ["slots": []], as: .guest) }
            #expect(
                try await platform.failure("people_slots", ["slots": []], as: .guest)?.code == .rateLimited)
            _ = try await platform.call("people_slots", ["slots": []], as: one)
        }
    }

    @Test func allBucketsTogetherHoldAHundredAndFiftyAMinute() async throws {
        let limiter = RateLimiter(perMinute: 60, burst: 10)
        let start = TestClock.start
        for _ in 0..<150 { try limiter.take(1, for: "x", from: .general, at: start) }
        #expect(throws: Failure.self) { try limiter.take(1, for: "x", from: .general, at: start) }
        try limiter.take(1, for: "x", from: .general, at: start + .milliseconds(400))
        try await Self.with(.sqlite, configure: { ($0.ratePerMinute, $0.rateBurst) = (600, 100) }) {
            platform in
            // Neither bucket is ever used up, and yet there is an end.
            var (calls, refused) = (0, false)
            while calls < 1_000, !refused {
                if calls % 7 == 0 { platform.advance(by: .seconds(2)) }
                let isRead = calls % 2 == 0
                refused =
                    try await platform.failure(
                        isRead ? "people_slots" : "guest_session_create", isRead ? ["slots": []] : [:],
                        as: .guest)?.code == .rateLimited
                calls += 1
            }
            #expect(refused && calls > 400)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStrangersKeyKeepsNothingAndAPersonsDoes(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let person = try await platform.person(.student)
            for (actor, rows) in [(Actor.guest, 2), (person, 3)] {
                for _ in 0..<2 {
                    var context = platform.context(actor, surface: .rest)
                    context.idempotencyKey = "same"
                    _ = try await platform.runner.call("people_count", [:], context)
                }
                #expect(try await platform.count("counted") == rows)
            }
        }
    }
}

extension AudienceTests {
    static let feature = Feature(
        name: "people_test", summary: "For tests.",
        operations: [Greet.self, Manage.self, CountCalls.self, Slots.self],
        migrations: [
            Migration("9900_people_test") { _ in ["CREATE TABLE counted (id \(.id) PRIMARY KEY)"] }
        ])

    struct TextOutput: Codable, Sendable { var text: String }

    struct Greet: Command {
        static let name = "people_greet"
        static let summary = "Greet."
        static let effect = Effect.reversible
        static let audience = Audience.users
        static let route = Route.post("people/greet")
        static let action = "people.greet"
        typealias Output = TextOutput
        @Input("Whom.") var name: String
        @Input("Louder.") var loud = false
        @Prepared var prepared: String?

        mutating func prepare(_ db: Reader, _ context: Context) async throws {
            if loud { prepared = "hello \(name)".uppercased() }
        }
        func run(_ tx: Transaction, _ context: Context) throws -> TextOutput {
            TextOutput(text: prepared ?? "hello \(name)")
        }
    }

    struct Manage: Query {
        static let name = "people_manage"
        static let summary = "Manage."
        static let audience = Audience.holders("manage_users")
        static let route = Route.get("people/manage")
        typealias Output = TextOutput
        func run(_ db: Reader, _ context: Context) async throws -> TextOutput { TextOutput(text: "managed") }
    }

    struct CountCalls: Command {
        static let name = "people_count"
        static let summary = "Count."
        static let effect = Effect.reversible
        static let audience = Audience.anyone
        static let route = Route.post("people/count")
        static let action = "people.count"
        typealias Output = TextOutput
        @Input("Refuse.") var refuse = false
        @Input("Keep.") var keep = true

        func run(_ tx: Transaction, _ context: Context) throws -> TextOutput {
            try tx.run("INSERT INTO counted (id) VALUES (\(context.newID()))")
            guard refuse else { return TextOutput(text: "counted") }
            let failure = Failure(.unauthenticated, "counted")
            if keep { throw KeptRefusal(failure) }
            throw failure
        }
    }

    struct Slot: InputRecord {
        @Input("Day.") var date: CalendarDay
        @Input("Minutes.", .range(15...720)) var minutes = 60
        @Input("Who comes.") var guests: [String]?
    }

    struct Slots: Query {
        static let name = "people_slots"
        static let summary = "Slots."
        static let audience = Audience.anyone
        static let route = Route.get("people/slots")
        @Input("Slots.") var slots: [Slot]

        struct Output: Codable, Sendable {
            var days: [CalendarDay]
            var minutes: [Int]
        }
        func run(_ db: Reader, _ context: Context) async throws -> Output {
            Output(days: slots.map(\.date), minutes: slots.map(\.minutes))
        }
    }
}
