import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct SignInTests {
    @Test(arguments: TestDatabase.available)
    func anUnknownAddressIsAnsweredAsAWrongPassword(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            var (failures, counts): ([Failure?], [Int]) = ([], [])
            for email in [People.email, "nobody@example.com"] {
                let count = HashCount()
                failures.append(
                    try await HashCount.$current.withValue(count) {
                        try await platform.refusal(
                            "auth_login_with_session", People.credentials(email, "Wrong horse 1"))
                    })
                counts.append(count.value)
            }
            #expect(counts == [1, 1])
            for failure in failures {
                #expect(failure?.code == .unauthenticated && failure?.reason == "invalid_credentials")
                #expect(failure?.description == failures[0]?.description)
            }
            #expect(
                try await platform.trail(where: "status <> 'success'") == [
                    "user.login/failed", "user.login/failed",
                ])
            let audited = try await platform.dump()
            #expect(!audited.contains("Wrong horse") && !audited.contains("Correct horse"))
        }
    }

    @Test func theLocksGrow() {
        let seconds = (1...25).map { SignInFailures.lock(after: $0).map { Int($0.components.seconds) } ?? 0 }
        #expect(seconds[0..<4] == [0, 0, 0, 0])
        #expect(seconds[4..<9] == [30, 30, 30, 30, 30])
        #expect([seconds[9], seconds[14], seconds[19], seconds[24]] == [300, 1_800, 3_600, 3_600])
    }

    @Test(arguments: TestDatabase.available)
    func failuresLockTheAddressForLongerAndLonger(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            let wrong = People.credentials(People.email, "Wrong horse 1")
            func fail() async throws -> Failure? {
                try await platform.refusal("auth_login_with_session", wrong)
            }
            for _ in 0..<5 { #expect(try await fail()?.code == .unauthenticated) }
            // The fifth failure locks for 30 seconds, and five in a minute are all there are.
            let count = HashCount()
            let failure = try await HashCount.$current.withValue(count) {
                try await platform.refusal("auth_login_with_session", People.credentials())
            }
            #expect(failure?.code == .rateLimited && failure?.reason == "locked_out")
            #expect(failure?.retryAfter == .seconds(60))
            #expect(count.value == 0, "nothing is compared while locked")
            #expect(try await platform.trail(where: "status = 'denied'") == ["user.login/denied"])
            platform.advance(by: .seconds(60))
            for number in 6...10 {
                #expect(try await fail()?.code == .unauthenticated, "failure \(number)")
                if number < 10 { platform.advance(by: .seconds(30)) }
            }
            #expect(try await fail()?.retryAfter == .seconds(300))
            platform.advance(by: .seconds(299))
            #expect(try await fail()?.code == .rateLimited)
            platform.advance(by: .seconds(1))
            _ = try await platform.signIn()
            #expect(try await platform.count("sign_in_failures") == 0, "a success clears them")
            #expect(try await fail()?.code == .unauthenticated)
            #expect(try await platform.value("SELECT failures FROM sign_in_failures", as: Int.self) == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func failuresAreForgottenAfterAnHour(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let wrong = People.credentials()
            for _ in 0..<4 { _ = try await platform.refusal("auth_login_with_session", wrong) }
            platform.advance(by: .seconds(3_600))
            _ = try await platform.refusal("auth_login_with_session", wrong)
            #expect(try await platform.value("SELECT failures FROM sign_in_failures", as: Int.self) == 1)
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func aHundredGuessesAtOnceAreNoMoreThanFive(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let judged = try await platform.atOnce(100) { index in
                let failure = try await platform.refusal(
                    "auth_login_with_session", People.credentials(People.email, "Guess number \(index)"),
                    ip: "192.0.2.\(index)")
                return failure?.code == .unauthenticated
            }
            #expect(judged == 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAddressOnTheNetTriesTwentyTimesAMinute(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for index in 0..<20 {
                let failure = try await platform.refusal(
                    "auth_login_with_session", People.credentials("p\(index)@example.com"))
                #expect(failure?.code == .unauthenticated)
            }
            let next = People.credentials("another@example.com")
            #expect(try await platform.refusal("auth_login_with_session", next)?.code == .rateLimited)
            let elsewhere = try await platform.refusal("auth_login_with_session", next, ip: "192.0.2.9")
            #expect(elsewhere?.code == .unauthenticated)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theFormSignsInAndACapitalLetterInTheAddressIsNone(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            let answer = try await platform.guest(
                "auth_login", ["username": "MARIA@example.com", "password": .string(People.password)])
            #expect(answer["token_type"] == "bearer" && answer["expires_in"] == 43_200)
            #expect(answer["requires_2fa"] == false && answer["temp_token"]?.isNull == true)
            #expect(answer["change"] == nil)
            #expect(try await platform.actor(answer).email == People.email)
            #expect(
                try await platform.value("SELECT last_login_at FROM users", as: Instant.self) == platform.now)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOldHashIsRenewedByASignIn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.member()
            try await platform.execute("UPDATE users SET hashed_password = \(PasswordHashTests.known[1])")
            _ = try await platform.signIn(People.email, "password")
            let stored: String? = try await platform.value("SELECT hashed_password FROM users")
            #expect(PasswordHash(stored: stored ?? "").needsRehash == false)
            _ = try await platform.signIn(People.email, "password")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeactivatedAccountIsOutAndASuspendedOneMaySignIn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let member = try await platform.member()
            try await platform.execute("UPDATE users SET account_status = 'suspended'")
            #expect(try await platform.reason(try await platform.signIn()) == nil)
            try await platform.execute("UPDATE users SET account_status = 'deactivated'")
            #expect(try await platform.reason(member.answer) == "token_revoked")
            let failure = try await platform.refusal("auth_login_with_session", People.credentials())
            #expect(failure?.reason == "invalid_credentials")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptchaIsAskedForAfterThreeFailures(dialect: Dialect) async throws {
        let clients = Clients(send: { request in
            let body = try JSONValue(parsing: request.body)
            let isSolved = body["response"] == "solved" && body["secret"] == "turnstile-key"
            return .init(status: 200, body: Array(#"{"success": \#(isSolved)}"#.utf8))
        })
        try await TestPlatform.with(
            dialect, clients: clients, configure: { $0.turnstileSecret = "turnstile-key" }
        ) {
            platform in
            _ = try await platform.member()
            for _ in 0..<3 {
                let failure = try await platform.refusal(
                    "auth_login_with_session", People.credentials(People.email, "Wrong horse 1"))
                #expect(failure?.code == .unauthenticated)
            }
            for token in [nil, "guessed"] {
                var arguments = People.credentials()
                if let token { arguments["captcha_token"] = .string(token) }
                let failure = try await platform.refusal("auth_login_with_session", arguments)
                #expect(failure?.httpStatus == 428 && failure?.reason == "captcha_required")
            }
            var arguments = People.credentials()
            arguments["captcha_token"] = "solved"
            // What is not solved is a try of its address, too: six of twenty are gone.
            for _ in 0..<14 {
                let failure = try await platform.refusal("auth_login_with_session", People.credentials())
                #expect(failure?.httpStatus == 428)
            }
            let failure = try await platform.refusal("auth_login_with_session", arguments)
            #expect(failure?.code == .rateLimited)
            _ = try await platform.guest("auth_login_with_session", arguments, ip: "192.0.2.9")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAdministratorSeesAndClearsALock(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            _ = try await platform.member()
            let wrong = People.credentials(People.email, "Wrong horse 1")
            for _ in 0..<5 { _ = try await platform.refusal("auth_login_with_session", wrong) }
            _ = try await platform.refusal("auth_login_with_session", People.credentials("other@example.com"))
            let list = try await platform.call("auth_blocks_list", as: admin)
            #expect(
                list["blocks"]?.arrayValue?.map { $0["email"] } == ["maria@example.com", "other@example.com"])
            let locked = try await platform.call("auth_blocks_list", ["locked_only": true], as: admin)
            #expect(locked["blocks"]?.arrayValue?.count == 1)
            let summary = try await platform.call("auth_blocks_summary", as: admin)
            #expect(summary["locked"] == 1 && summary["with_failures"] == 2 && summary["is_capped"] == false)
            let email: JSONObject = ["email": .string(People.email)]
            let block = try await platform.call("auth_block_detail", email, as: admin)
            #expect(
                block["failures"] == 5 && block["is_locked"] == true && block["captcha_required"] == false)
            #expect(block["blocked_until"]?.stringValue == (platform.now + .seconds(60)).description)
            _ = try await platform.call("auth_block_clear", email, as: admin)
            _ = try await platform.signIn()
            #expect(try await platform.failure("auth_block_clear", email, as: admin)?.code == .notFound)
            #expect(try await platform.failure("auth_block_detail", email, as: admin)?.code == .notFound)
            let student = try await platform.person(.student)
            #expect(try await platform.failure("auth_blocks_list", as: student)?.code == .forbidden)
        }
    }
}
