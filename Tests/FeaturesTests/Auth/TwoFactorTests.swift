import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct TwoFactorTests {
    /// Somebody with an authenticator, whose next step is unused.
    struct Member: Sendable {
        var actor: Actor
        var totp: TOTP
        var codes: [String]

        init(_ platform: TestPlatform) async throws {
            actor = try await platform.member().actor
            let setUp = try await platform.call("two_factor_setup_initiate", as: actor)
            totp = try await Self.totp(platform, actor)
            let answer = try await platform.call(
                "two_factor_setup_verify", ["code": .string(Self.code(totp, platform))], as: actor)
            codes = answer["backup_codes"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(setUp["secret"]?.stringValue == totp.text)
            platform.advance(by: .seconds(30))
        }

        /// What the app would have scanned.
        static func totp(_ platform: TestPlatform, _ actor: Actor) async throws -> TOTP {
            let id = try #require(actor.id.flatMap { ULID($0) })
            let now = platform.now
            let pending = try await platform.database.read { try PendingTwoFactor.find(id, $0, now: now) }
            return try #require(try pending?.totp(id, platform.context(actor)))
        }

        static func code(_ totp: TOTP, _ platform: TestPlatform) -> String {
            totp.code(step: TOTP.step(at: platform.now))
        }

        func code(_ platform: TestPlatform) -> String { Self.code(totp, platform) }
    }

    static func verify(_ answer: JSONValue, _ more: JSONObject) -> JSONObject {
        let token: JSONObject = ["temp_token": answer["temp_token"] ?? .null]
        return token.merging(more)
    }

    @Test(arguments: TestDatabase.available)
    func theSecondFactorIsAskedForAndACodeIsGoodForOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            #expect(member.codes.count == 10)
            let half = try await platform.signIn()
            #expect(half["requires_2fa"] == true && half["access_token"]?.isNull == true)
            #expect(
                try await platform.reason(["access_token": half["temp_token"] ?? .null]) == "invalid_token")
            let wrong = try await platform.refusal(
                "two_factor_verify_login", Self.verify(half, ["code": "000000"]))
            #expect(wrong?.reason == "invalid_code")
            let code: JSONObject = ["code": .string(member.code(platform))]
            let whole = try await platform.guest("two_factor_verify_login", Self.verify(half, code))
            #expect(try await platform.actor(whole).id == member.actor.id)
            let used = try await platform.refusal("two_factor_verify_login", Self.verify(half, code))
            #expect(used?.code == .unauthenticated)
            let again = try await platform.signIn()
            let replayed = try await platform.refusal("two_factor_verify_login", Self.verify(again, code))
            #expect(replayed?.reason == "invalid_code", "the same step is not taken twice")
            let trail = try await platform.trail(where: "action = 'user.login'")
            #expect(trail.filter { $0 == "user.login/success" }.count == 2)
            let everything = try await platform.dump()
            for code in member.codes { #expect(!everything.contains(code)) }
            #expect(!everything.contains(member.totp.text))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTemporaryTokenLivesAMinuteAndIsUsedOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let half = try await platform.signIn()
            _ = try await platform.guest(
                "two_factor_verify_login", Self.verify(half, ["code": .string(member.code(platform))]))
            platform.advance(by: .seconds(30))
            let second = try await platform.refusal(
                "two_factor_verify_login", Self.verify(half, ["code": .string(member.code(platform))]))
            #expect(second?.reason == "invalid_temp_token")
            let late = try await platform.signIn()
            platform.advance(by: .seconds(60))
            let failure = try await platform.refusal(
                "two_factor_verify_login", Self.verify(late, ["code": .string(member.code(platform))]))
            #expect(failure?.reason == "invalid_temp_token")
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func ofAHundredWhoUseABackupCodeAtOnceOneIsIn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let id = try #require(member.actor.id.flatMap { ULID($0) })
            // A token each, so that nothing but the code is shared.
            let keys = try await TokenKeys(platform.environment.secrets, purpose: ChallengeToken.purpose)
            let context = platform.context(.guest)
            let done = try await platform.atOnce(100) { index in
                let token = try await keys.sign(
                    ChallengeToken(user: id, id: context.newID(), at: context.now))
                let arguments: JSONObject = [
                    "temp_token": .string(token), "backup_code": .string(member.codes[3].lowercased()),
                ]
                return try await platform.refusal(
                    "two_factor_verify_login", arguments, ip: "192.0.2.\(index)") == nil
            }
            #expect(done == 1)
            #expect(try await platform.count("backup_codes", where: "used_at IS NOT NULL") == 1)
            #expect(try await platform.count("user_sessions") == 2)
            let status = try await platform.call("two_factor_status", as: member.actor)
            #expect(status["backup_codes_left"] == 9 && status["enabled"] == true)
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func aHundredWrongProofsAtOnceAreNoMoreThanFive(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let proved = try await platform.atOnce(100) { index in
                let code: JSONObject = ["code": .string("wrong\(100 + index)")]
                let failure = try await platform.failure("two_factor_disable", code, as: member.actor)
                return failure?.reason == "step_up_failed"
            }
            #expect(proved == 5)
            let other = try await platform.member("other@example.com").actor
            _ = try await platform.call("two_factor_setup_initiate", as: other)
            let judged = try await platform.atOnce(100) { index in
                let code: JSONObject = ["code": .string("wrong\(100 + index)")]
                let failure = try await platform.failure("two_factor_setup_verify", code, as: other)
                return failure?.reason == "invalid_code"
            }
            #expect(judged == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAddressOnTheNetTriesTheSecondStepTwentyTimesAMinute(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let half = try await platform.signIn()
            for index in 0..<20 {
                let guess: JSONObject = ["temp_token": .string("guess \(index)"), "code": "000000"]
                let failure = try await platform.refusal("two_factor_verify_login", guess)
                #expect(failure?.reason == "invalid_temp_token")
            }
            let right = Self.verify(half, ["code": .string(member.code(platform))])
            #expect(try await platform.refusal("two_factor_verify_login", right)?.code == .rateLimited)
            #expect(try await platform.refusal("two_factor_verify_login", right, ip: "192.0.2.9") == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func fiveWrongCodesAreAllThatAreTried(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let half = try await platform.signIn()
            for index in 0..<5 {
                let failure = try await platform.refusal(
                    "two_factor_verify_login", Self.verify(half, ["code": .string("00000\(index)")]))
                #expect(failure?.reason == "invalid_code")
            }
            let right: JSONObject = ["code": .string(member.code(platform))]
            let failure = try await platform.refusal("two_factor_verify_login", Self.verify(half, right))
            #expect(failure?.code == .rateLimited && failure?.reason == "locked_out")
            platform.advance(by: .seconds(300))
            let next = try await platform.signIn()
            let later: JSONObject = ["code": .string(member.code(platform))]
            _ = try await platform.guest("two_factor_verify_login", Self.verify(next, later))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTrustedDeviceIsNotAskedUntilItIsRevoked(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            let half = try await platform.signIn()
            let answer = try await platform.guest(
                "two_factor_verify_login",
                Self.verify(half, ["code": .string(member.code(platform)), "trust_device": true]))
            let device: JSONObject = ["trusted_device_token": answer["trusted_device_token"] ?? .null]
            #expect(device["trusted_device_token"]?.stringValue?.isEmpty == false)
            let trusted = People.credentials().merging(device)
            #expect(try await platform.guest("auth_login_with_session", trusted)["requires_2fa"] == false)
            _ = try await platform.member("other@example.com")
            #expect(
                try await platform.guest(
                    "auth_login_with_session",
                    People.credentials().merging(["trusted_device_token": "itd_forged"]))["requires_2fa"]
                    == true)
            let list = try await platform.call("trusted_devices_list", as: member.actor)
            let id: JSONObject = ["device_id": list["devices"]?.arrayValue?.first?["id"] ?? .null]
            #expect(list["devices"]?.arrayValue?.first?["name"] == "test/1")
            let stranger = try await platform.person(.student)
            #expect(try await platform.failure("trusted_device_revoke", id, as: stranger)?.code == .notFound)
            _ = try await platform.call("trusted_device_revoke", id, as: member.actor)
            #expect(try await platform.guest("auth_login_with_session", trusted)["requires_2fa"] == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func turningItOffAndNewCodesNeedAProof(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await Member(platform)
            for name in ["two_factor_disable", "two_factor_regenerate_backup_codes"] {
                #expect(try await platform.failure(name, as: member.actor)?.code == .invalidInput)
                let wrong = try await platform.failure(
                    name, ["current_password": "Wrong horse 1"], as: member.actor)
                #expect(wrong?.reason == "step_up_failed")
            }
            let code: JSONObject = ["code": .string(member.code(platform))]
            let fresh = try await platform.call(
                "two_factor_regenerate_backup_codes", code, as: member.actor)["backup_codes"]?.arrayValue
            #expect(fresh?.count == 10)
            #expect(
                try await platform.failure("two_factor_disable", code, as: member.actor)?.reason
                    == "step_up_failed")
            let old: JSONObject = ["code": .string(member.codes[0])]
            #expect(
                try await platform.failure("two_factor_disable", old, as: member.actor)?.reason
                    == "step_up_failed")
            let password: JSONObject = ["current_password": .string(People.password)]
            _ = try await platform.call("two_factor_disable", password, as: member.actor)
            #expect(
                try await platform.failure("two_factor_disable", password, as: member.actor)?.reason
                    == "two_factor_disabled")
            #expect(try await platform.signIn()["requires_2fa"] == false)
            #expect(try await platform.count("backup_codes") == 0)
            let names = [
                "user.2fa_enable/success", "user.2fa_backup_codes/success", "user.2fa_disable/success",
            ]
            #expect(
                try await platform.trail(where: "action LIKE 'user.2fa_%' AND status = 'success'").filter {
                    names.contains($0)
                } == names)
        }
    }

    @Test(arguments: TestDatabase.available)
    func settingUpAgainDoesNotTurnItOffAndASetUpExpires(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let actor = try await platform.member().actor
            #expect(
                try await platform.failure("two_factor_setup_verify", ["code": "000000"], as: actor)?.reason
                    == "two_factor_not_pending")
            _ = try await platform.call("two_factor_setup_initiate", as: actor)
            let first = try await Member.totp(platform, actor)
            _ = try await platform.call("two_factor_setup_initiate", as: actor)
            let second = try await Member.totp(platform, actor)
            let old: JSONObject = ["code": .string(Member.code(first, platform))]
            #expect(
                try await platform.failure("two_factor_setup_verify", old, as: actor)?.reason
                    == "invalid_code")
            platform.advance(by: .seconds(600))
            let late: JSONObject = ["code": .string(Member.code(second, platform))]
            #expect(
                try await platform.failure("two_factor_setup_verify", late, as: actor)?.reason
                    == "two_factor_not_pending")
            _ = try await platform.call("two_factor_setup_initiate", as: actor)
            let third = try await Member.totp(platform, actor)
            let right: JSONObject = ["code": .string(Member.code(third, platform))]
            _ = try await platform.call("two_factor_setup_verify", right, as: actor)
            #expect(
                try await platform.failure("two_factor_setup_initiate", as: actor)?.reason
                    == "two_factor_enabled")
            #expect(try await platform.signIn()["requires_2fa"] == true)
        }
    }
}
