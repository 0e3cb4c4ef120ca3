import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct RegistrationTests {
    @Test(arguments: TestDatabase.available)
    func whoRegistersCanSignIn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.letInstructorsJoin()
            let more: JSONObject = ["role": "instructor", "phone": "(212) 555-4567"]
            let answer = try await platform.guest(
                "auth_register", People.registration(" Maria@Example.com ", more))
            #expect(answer["email"]?.stringValue == People.email)
            let user = try #require(
                try await platform.database.read { try User.find(email: People.email, $0) })
            #expect(user.phone == "+12125554567" && !user.isPhoneVerified)
            #expect(user.timezone == "America/Chicago")
            let actor = try await platform.actor(try await platform.signIn())
            #expect(actor.roles == ["instructor"] && actor.id == user.id.description)
            #expect(actor.permissions.contains(.manageAvailability))
            #expect(
                try await platform.trail() == [
                    "user.create/success", "instructor.create/success", "user.register/success",
                    "user.login/success",
                ])
            #expect(try await platform.message("user.welcome") != nil)
            let login = try await platform.rows(
                "SELECT actor_id, resource_id, session_id FROM audit_logs WHERE action = 'user.login'")
            #expect(
                login == ["actor_id=\(user.id) resource_id=\(user.id) session_id=\(actor.sessionID ?? "")"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aKnownAddressIsAnsweredAsANewOne(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            var (answers, counts): ([JSONValue], [Int]) = ([], [])
            for _ in 0..<2 {
                let count = HashCount()
                answers.append(
                    try await HashCount.$current.withValue(count) {
                        try await platform.guest("auth_register", People.registration())
                    })
                counts.append(count.value)
            }
            #expect(answers[0] == answers[1])
            #expect(counts == [1, 1])
            #expect(try await platform.count("users") == 1)
            #expect(try await platform.message("user.registered_again")?.contains("already") == true)
            #expect(
                try await platform.trail() == [
                    "user.create/success", "user.register/success", "user.register/success",
                ])
            _ = try await platform.guest("auth_register", People.registration())
            #expect(
                try await platform.count("event_outbox", where: "event_type = 'user.registered_again'") == 1,
                "once a day at most")
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func ofAHundredWhoRegisterAnAddressAtOnceOneHasIt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let done = try await platform.atOnce(100) { index in
                let more: JSONObject = ["last_name": .string("Number \(index)")]
                _ = try await platform.guest(
                    "auth_register", People.registration(People.email, more), ip: "192.0.2.\(index)")
                return true
            }
            #expect(done == 100)
            #expect(try await platform.count("users") == 1)
            #expect(try await platform.count("user_roles") == 1)
            #expect(try await platform.trail(where: "action = 'user.create'").count == 1)
        }
    }

    static let wrong: [(JSONObject, String)] = [
        (["email": "maria"], "email"), (["password": "password1"], "password"),
        (["zip_code": "1234x"], "zip_code"), (["first_name": "  "], "first_name"),
        (["phone": "12345678901234567"], "phone"), (["role": "admin"], "role"), (["extra": 1], "extra"),
        (["metadata": ["other": 1]], "metadata.other"),
    ]

    @Test(arguments: wrong.indices) func whatIsWrongIsNamed(index: Int) async throws {
        try await TestPlatform.with(.sqlite) { platform in
            let failure = try await platform.refusal(
                "auth_register", People.registration(People.email, Self.wrong[index].0))
            #expect(failure?.code == .invalidInput)
            #expect(failure?.fields.map(\.name) == [Self.wrong[index].1])
            #expect(try await platform.count("users") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAddressOnTheNetRegistersTenAnHour(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for index in 0..<10 {
                _ = try await platform.guest("auth_register", People.registration("p\(index)@example.com"))
            }
            let failure = try await platform.refusal("auth_register", People.registration())
            #expect(failure?.code == .rateLimited && failure?.retryAfter == .seconds(3_600))
            platform.advance(by: .seconds(3_600))
            _ = try await platform.guest("auth_register", People.registration())
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedRegistrationCountsAndLeavesNeitherAnAccountNorItsCode(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for index in 0..<10 {
                let code: JSONObject = ["metadata": ["invite_code": .string("GUESSED\(index)")]]
                let failure = try await platform.refusal(
                    "auth_register", People.registration(People.email, code))
                #expect(failure != nil && failure?.code != .rateLimited)
            }
            let count = HashCount()
            let failure = try await HashCount.$current.withValue(count) {
                try await platform.refusal("auth_register", People.registration())
            }
            #expect(failure?.code == .rateLimited && count.value == 0)
            #expect(try await platform.count("users") == 0)
            await platform.recorder.flush()
            #expect(try await platform.trail(where: "action = 'user.register'").count == 11)
            #expect(try await !platform.dump().contains("GUESSED"))
        }
    }

    @Test(arguments: [
        ("10001", "America/New_York"), ("35004", "America/Chicago"), ("60601", "America/Chicago"),
        ("85001", "America/Phoenix"), ("80201", "America/Denver"), ("90001", "America/Los_Angeles"),
        ("96801", "Pacific/Honolulu"), ("99501", "America/Anchorage"), ("00901", "America/Puerto_Rico"),
        ("02101", "America/New_York"), ("89101", "America/Los_Angeles"), ("x", "America/New_York"),
    ]) func aZIPCodeHasATimeZone(zip: String, zone: String) {
        #expect(ZIPTimeZone.zone(of: zip) == zone)
        #expect(ZIPTimeZone.all.contains(zone))
    }

    @Test(
        arguments: [
            ("2125554567", "+12125554567"), ("+44 20 7946 0958", "+442079460958"), ("212-555-456", nil),
            ("123456789012345", nil), ("0044 20 7946 0958", nil), ("212555456x", nil), ("٢١٢٥٥٥٤٥٦٧", nil),
        ] as [(String, String?)]) func aNumberIsKeptInE164(text: String, number: String?)
    {
        #expect(PhoneNumber.normalized(text) == number)
    }
}
