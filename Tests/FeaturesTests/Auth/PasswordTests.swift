import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct PasswordTests {
    static let next = "Another horse 2"

    static func token(_ platform: TestPlatform) async throws -> String {
        let text = try #require(try await platform.message("user.password_reset_request"))
        let start = try #require(text.firstRange(of: "token="))
        return String(text[start.upperBound...].prefix { !$0.isWhitespace })
    }

    @Test(arguments: TestDatabase.available)
    func aChangedPasswordEndsEveryOtherToken(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, here) = try await platform.member()
            let there = try await platform.signIn()
            platform.advance(by: .seconds(1))
            let arguments: JSONObject = [
                "current_password": .string(People.password), "new_password": .string(Self.next),
            ]
            let answer = try await platform.call("auth_change_password", arguments, as: actor)
            #expect(try await platform.reason(here) == "token_revoked")
            #expect(try await platform.reason(there) == "token_revoked")
            #expect(
                try await platform.refusal("auth_refresh", SessionTests.refresh(there))?.code
                    == .unauthenticated)
            #expect(try await platform.actor(answer).id == actor.id, "whoever changed it goes on")
            #expect(
                try await platform.refusal("auth_login_with_session", People.credentials())?.code
                    == .unauthenticated)
            _ = try await platform.signIn(People.email, Self.next)
            #expect(try await platform.message("user.password_changed") != nil)
            let trail = try await platform.rows(
                """
                SELECT actor_id, resource_type, resource_id FROM audit_logs WHERE action = 'user.password_change'
                """)
            let id = actor.id ?? ""
            #expect(trail == ["actor_id=\(id) resource_type=user resource_id=\(id)"])
            let everything = try await platform.dump()
            for secret in [People.password, Self.next, answer["access_token"]?.stringValue ?? "?"] {
                #expect(!everything.contains(secret))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWrongOrWeakOrEqualPasswordChangesNothing(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            func change(_ current: String, _ new: String) async throws -> Failure? {
                try await platform.failure(
                    "auth_change_password",
                    ["current_password": .string(current), "new_password": .string(new)], as: actor)
            }
            #expect(
                try await change(People.password, People.password)?.fields.map(\.name) == ["new_password"])
            #expect(try await change(People.password, "weak")?.fields.map(\.name) == ["new_password"])
            for _ in 0..<5 {
                #expect(
                    try await change("Wrong horse 1", Self.next)?.fields.map(\.name) == ["current_password"])
            }
            let failure = try await change(People.password, Self.next)
            #expect(failure?.code == .rateLimited, "five wrong ones are all in five minutes")
            #expect(try await platform.reason(answer) == nil)
            platform.advance(by: .seconds(300))
            #expect(try await change(People.password, Self.next) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aResetLinkIsGoodForOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await platform.member()
            let email: JSONObject = ["email": .string(People.email)]
            _ = try await platform.guest("password_reset_request", email)
            let old = try await Self.token(platform)
            _ = try await platform.guest("password_reset_request", email)
            let token = try await Self.token(platform)
            #expect(
                try await platform.refusal("password_reset_verify", ["token": .string(old)])?.code
                    == .notFound)
            let shown = try await platform.guest("password_reset_verify", ["token": .string(token)])
            #expect(shown == ["valid": true, "email": "m***@example.com"])
            func confirm(_ password: String) async throws -> Failure? {
                try await platform.refusal(
                    "password_reset_confirm", ["token": .string(token), "new_password": .string(password)])
            }
            #expect(try await confirm("weak")?.fields.map(\.name) == ["new_password"])
            platform.advance(by: .seconds(1))
            #expect(try await confirm(Self.next) == nil)
            #expect(try await confirm("Third horse 3")?.reason == "invalid_reset_token")
            #expect(try await platform.reason(member.answer) == "token_revoked")
            _ = try await platform.signIn(People.email, Self.next)
            let trail = try await platform.rows(
                "SELECT actor_id FROM audit_logs WHERE action = 'user.password_reset' AND status = 'success'")
            #expect(trail == ["actor_id=\(member.actor.id ?? "")"])
            #expect(try await !platform.dump(without: ["event_outbox"]).contains(token))
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func ofManyWhoUseALinkAtOnceOneHasIt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            let token = try await Self.token(platform)
            let done = try await platform.atOnce(30) { index in
                let arguments: JSONObject = [
                    "token": .string(token), "new_password": .string("Horse number \(index)"),
                ]
                return try await platform.refusal("password_reset_confirm", arguments, ip: "192.0.2.\(index)")
                    == nil
            }
            #expect(done == 1)
            #expect(
                try await platform.count("event_outbox", where: "event_type = 'user.password_changed'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anUnknownAddressIsToldTheSame(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            let answers = try await [
                platform.guest("password_reset_request", ["email": .string(People.email)]),
                platform.guest("password_reset_request", ["email": "nobody@example.com"]),
            ]
            #expect(answers[0] == answers[1])
            #expect(
                try await platform.count("event_outbox", where: "event_type = 'user.password_reset_request'")
                    == 1)
            for _ in 0..<4 {
                _ = try await platform.guest("password_reset_request", ["email": "nobody@example.com"])
            }
            let failure = try await platform.refusal(
                "password_reset_request", ["email": "nobody@example.com"], ip: "192.0.2.9")
            #expect(failure?.code == .rateLimited, "five an hour for an address, known or not")
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyTryOfALinkCountsWhetherItIsGoodOrNot(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            let token = JSONValue.string(try await Self.token(platform))
            func confirm(_ token: JSONValue, _ password: String) async throws -> Failure? {
                try await platform.refusal(
                    "password_reset_confirm", ["token": token, "new_password": .string(password)])
            }
            for index in 0..<9 {
                #expect(
                    try await confirm(.string("guess \(index)"), Self.next)?.reason == "invalid_reset_token")
            }
            #expect(try await confirm(token, "weak")?.code == .invalidInput)
            let count = HashCount()
            let failure = try await HashCount.$current.withValue(count) {
                try await confirm(token, Self.next)
            }
            #expect(failure?.code == .rateLimited && count.value == 0)
            platform.advance(by: .seconds(60))
            #expect(try await confirm(token, Self.next) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAddressOnTheNetLooksAtTwentyLinksAMinute(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect, configure: { $0.ratePerMinute = 600 }) { platform in
            _ = try await platform.member()
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            let token: JSONObject = ["token": .string(try await Self.token(platform))]
            for index in 0..<20 {
                let guess: JSONObject = ["token": .string("guess \(index)")]
                let failure = try await platform.refusal("password_reset_verify", guess)
                #expect(failure?.reason == "invalid_reset_token")
            }
            #expect(try await platform.refusal("password_reset_verify", token)?.code == .rateLimited)
            platform.advance(by: .seconds(3))
            #expect(try await platform.refusal("password_reset_verify", token) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLinkExpiresAfterAnHour(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            let token = JSONValue.string(try await Self.token(platform))
            platform.advance(by: .seconds(3_600))
            let failure = try await platform.refusal(
                "password_reset_confirm", ["token": token, "new_password": .string(Self.next)])
            #expect(failure?.reason == "invalid_reset_token")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPersonChangesTheirNameAndPlace(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let actor = try await platform.member().actor
            let me = try await platform.call("auth_me", as: actor)
            #expect(me["timezone"] == "America/Chicago" && me["roles"] == ["student"])
            let changed = try await platform.call(
                "auth_me_update", ["zip_code": "90001", "first_name": "Mary"], as: actor)
            #expect(changed["timezone"] == "America/Los_Angeles" && changed["last_name"] == "Lopez")
            _ = try await platform.call("auth_me_update", ["first_name": "Mary"], as: actor)
            #expect(try await platform.trail(where: "action = 'user.update'").count == 1)
            let own = "resource_type=user resource_id=\(actor.id ?? "")"
            #expect(
                try await platform.rows(
                    "SELECT resource_type, resource_id FROM audit_logs WHERE action = 'user.edit'") == [
                        own, own,
                    ])
            for wrong: JSONObject in [
                ["zip_code": "9000x"], ["timezone": "Mars/Base"], ["email": "x@example.com"],
            ] {
                #expect(try await platform.failure("auth_me_update", wrong, as: actor)?.code == .invalidInput)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNumberIsVerifiedWithTheCodeThatWasSentToIt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let actor = try await platform.member().actor
            #expect(try await platform.failure("account_phone_verify", as: actor)?.reason == "phone_missing")
            _ = try await platform.call("account_phone_update", ["phone_number": "212 555 4567"], as: actor)
            _ = try await platform.call("account_phone_verify", as: actor)
            let code = try #require(try await platform.message("user.phone_code")).prefix(6)
            #expect(try await !platform.dump(without: ["event_outbox"]).contains(code))
            func confirm(_ code: some StringProtocol) async throws -> Failure? {
                try await platform.failure(
                    "account_phone_verify_confirm", ["code": .string(String(code))], as: actor)
            }
            let wrong = code == "000000" ? "000001" : "000000"
            for _ in 0..<5 { #expect(try await confirm(wrong)?.reason == "invalid_code") }
            #expect(try await confirm(code)?.reason == "phone_code_missing", "tried too often")
            _ = try await platform.call("account_phone_verify", as: actor)
            let second = try #require(try await platform.message("user.phone_code")).prefix(6)
            #expect(try await confirm(second) == nil)
            #expect(try await platform.call("account_phone_get", as: actor)["verified"] == true)
            _ = try await platform.call("account_phone_update", ["phone_number": "2125554568"], as: actor)
            #expect(
                try await platform.call("account_phone_get", as: actor)
                    == ["phone_number": "+12125554568", "verified": false])
        }
    }
}
