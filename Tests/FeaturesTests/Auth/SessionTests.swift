import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct SessionTests {
    static func refresh(_ answer: JSONValue) -> JSONObject {
        ["refresh_token": answer["refresh_token"] ?? .null]
    }

    @Test(arguments: TestDatabase.available)
    func aRefreshTokenIsGoodForOnceAndASecondUseEndsTheSession(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let first = try await platform.member().answer
            platform.advance(by: .seconds(60))
            let second = try await platform.guest("auth_refresh", Self.refresh(first))
            let third = try await platform.guest("auth_refresh", Self.refresh(second))
            #expect(try await platform.actor(third).sessionID == platform.actor(first).sessionID)
            #expect(try await platform.count("user_sessions") == 1)
            // The oldest token of the family comes back: somebody has a copy.
            let failure = try await platform.refusal("auth_refresh", Self.refresh(first))
            #expect(failure?.code == .unauthenticated && failure?.reason == "invalid_refresh_token")
            for answer in [first, second, third] {
                #expect(try await platform.reason(answer) == "token_revoked")
            }
            #expect(try await platform.refusal("auth_refresh", Self.refresh(third))?.code == .unauthenticated)
            let ends = try await platform.rows("SELECT revoked_reason FROM user_sessions")
            #expect(ends == ["revoked_reason=refresh_reused"])
            #expect(try await platform.trail(where: "action = 'session.refresh_reused'").count == 1)
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func ofManyWhoRefreshAtOnceOneHasNewTokens(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let answer = try await platform.member().answer
            let done = try await platform.atOnce(20) { _ in
                try await platform.refusal("auth_refresh", Self.refresh(answer)) == nil
            }
            #expect(done == 1)
            #expect(try await platform.count("user_sessions", where: "revoked_at IS NULL") == 0)
            #expect(try await platform.count("refresh_tokens") == done + 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theRefreshCookieIsAsGoodAsTheArgument(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let answer = try await platform.member().answer
            var context = platform.context(.guest, surface: .rest)
            #expect(try await platform.refusal("auth_refresh", [:])?.code == .unauthenticated)
            context.credentials = PresentedCredentials(refreshToken: answer["refresh_token"]?.stringValue)
            let renewed = try await platform.runner.call("auth_refresh", [:], context)
            guard case .signedIn(let change)? = renewed.attachments.credentials else {
                Issue.record("no cookies")
                return
            }
            let body = try JSONValue(parsing: renewed.bytes)
            #expect(change.accessToken == body["access_token"]?.stringValue)
            #expect(change.refreshExpiresAt == platform.now + .seconds(30 * 86_400))
            #expect(change.trustedDevice == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func tokensExpire(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect, configure: { $0.accessTokenMinutes = 10 }) { platform in
            let answer = try await platform.member().answer
            platform.advance(by: .seconds(599))
            #expect(try await platform.reason(answer) == nil)
            platform.advance(by: .seconds(1))
            #expect(try await platform.reason(answer) == "token_expired")
            let renewed = try await platform.guest("auth_refresh", Self.refresh(answer))
            platform.advance(by: .seconds(30 * 86_400))
            #expect(
                try await platform.refusal("auth_refresh", Self.refresh(renewed))?.code == .unauthenticated)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPersonListsAndEndsTheirSessions(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            platform.advance(by: .seconds(1))
            let other = try await platform.signIn()
            _ = platform.database.takeStatementCount()
            let list = try await platform.call("auth_sessions_list", as: actor)
            #expect(platform.database.takeStatementCount() == 1)
            let sessions = try #require(list["sessions"]?.arrayValue)
            #expect(sessions.map { $0["is_current"] } == [false, true])
            #expect(sessions[0]["ip"] == "192.0.2.1" && sessions[0]["user_agent"] == "test/1")
            let stranger = try await platform.person(.student)
            let id: JSONObject = ["session_id": sessions[0]["id"] ?? .null]
            #expect(try await platform.failure("auth_session_revoke", id, as: stranger)?.code == .notFound)
            _ = try await platform.call("auth_session_revoke", id, as: actor)
            #expect(try await platform.failure("auth_session_revoke", id, as: actor)?.code == .notFound)
            #expect(try await platform.reason(other) == "token_revoked")
            #expect(try await platform.reason(answer) == nil)
            #expect(try await platform.failure("auth_sessions_list", as: .guest)?.code == .unauthenticated)
        }
    }

    @Test(arguments: TestDatabase.available)
    func signingOutEndsTheSessionAndNeverFails(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            let context = platform.context(actor, surface: .rest)
            let gone = try await platform.runner.call("auth_logout", [:], context)
            #expect(gone.attachments.credentials == .signedOut)
            #expect(try await platform.reason(answer) == "token_revoked")
            _ = try await platform.runner.call("auth_logout", [:], context)
            _ = try await platform.guest("auth_logout", [:])
            #expect(
                try await platform.refusal("auth_refresh", Self.refresh(answer))?.code == .unauthenticated)
            let subject = try await platform.trail(
                where: "action = 'user.logout' AND resource_id = \(actor.id ?? "")")
            #expect(subject == ["user.logout/success", "user.logout/success"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoseAccessTokenHasExpiredSignsOutByTheRefreshCookieOfTheirPage(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            let session = actor.sessionID
            var context = platform.context(.guest, surface: .rest)
            context.credentials = PresentedCredentials(refreshToken: answer["refresh_token"]?.stringValue)
            func open() async throws -> Int {
                try await platform.count("user_sessions", where: "revoked_at IS NULL")
            }
            // A cookie that another site's page made the browser send.
            _ = try await platform.runner.call("auth_logout", [:], context)
            #expect(try await open() == 1)
            context.credentials.isOwnPage = { $0 == session }
            let gone = try await platform.runner.call("auth_logout", [:], context)
            #expect(gone.attachments.credentials == .signedOut)
            #expect(try await open() == 0)
            #expect(
                try await platform.refusal("auth_refresh", Self.refresh(answer))?.code == .unauthenticated)
            #expect(
                try await platform.trail(where: "action = 'user.logout' AND actor_id = \(actor.id ?? "")")
                    == ["user.logout/success"])
            _ = try await platform.runner.call("auth_logout", [:], context)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAddressOnTheNetRefreshesTwentyTimesAMinute(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let answer = try await platform.member().answer
            for index in 0..<20 {
                let arguments: JSONObject = index == 0 ? [:] : ["refresh_token": .string("irt_\(index)")]
                let failure = try await platform.refusal("auth_refresh", arguments)
                #expect(failure?.reason == "invalid_refresh_token")
            }
            #expect(try await platform.refusal("auth_refresh", Self.refresh(answer))?.code == .rateLimited)
            #expect(
                try await platform.refusal("auth_refresh", Self.refresh(answer), ip: "192.0.2.9") == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenOfAnotherKeyOrKindIsNoneOfOurs(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            let text = try #require(answer["access_token"]?.stringValue)
            let id = try #require(actor.id.flatMap { ULID($0) })
            let session = try #require(actor.sessionID.flatMap { ULID($0) })
            let foreign = try await TokenKeys(.random(), purpose: AccessToken.purpose)
            let claims = AccessToken(
                user: id, session: session, id: id, at: platform.now, for: .seconds(600))
            let challenge = try await TokenKeys(platform.environment.secrets, purpose: AccessToken.purpose)
                .sign(ChallengeToken(user: id, id: id, at: platform.now))
            let parts = text.split(separator: ".")
            let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\(parts[1])."
            let texts = [
                try await foreign.sign(claims), challenge, unsigned, "\(parts[0]).\(parts[1]).", "", "a.b.c",
                text + String(repeating: "A", count: 3_000),
            ]
            for text in texts {
                #expect(try await platform.reason(["access_token": .string(text)]) == "invalid_token")
            }
        }
    }

    @Test func anOlderKeyVerifiesUntilItIsGone() async throws {
        let roots = [1: [UInt8](repeating: 1, count: 32), 2: [UInt8](repeating: 2, count: 32)]
        let old = try SecretKeys(current: 1, roots: [1: roots[1] ?? []])
        let both = try SecretKeys(current: 2, roots: roots)
        let new = try SecretKeys(current: 2, roots: [2: roots[2] ?? []])
        let id = ULID.first(at: TestClock.start)
        let claims = AccessToken(user: id, session: id, id: id, at: TestClock.start, for: .seconds(60))
        let text = try await TokenKeys(old, purpose: "p").sign(claims)
        #expect(try await TokenKeys(both, purpose: "p").claims(text, as: AccessToken.self) == claims)
        #expect(try await TokenKeys(new, purpose: "p").claims(text, as: AccessToken.self) == nil)
        #expect(try await TokenKeys(both, purpose: "q").claims(text, as: AccessToken.self) == nil)
    }

    @Test(arguments: TestDatabase.available)
    func rolesThatAreTakenAwayEndTheTokens(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            let admin = try await platform.person(.admin)
            platform.advance(by: .seconds(1))
            _ = try await platform.call(
                "user_set_roles", ["user_id": .string(actor.id ?? ""), "roles": ["instructor"]], as: admin)
            #expect(try await platform.reason(answer) == "token_revoked")
            #expect(try await platform.actor(try await platform.signIn()).roles == ["instructor"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatAGuestDidIsTakenOverOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let guest = try await platform.guest("guest_session_create", [:])
            let more: JSONObject = ["guest_session_id": guest["guest_id"] ?? .null]
            _ = try await platform.guest("auth_register", People.registration(People.email, more))
            let owner = try await platform.rows("SELECT converted_user_id FROM guest_sessions")
            _ = try await platform.member("other@example.com")
            let other = People.credentials("other@example.com").merging(more)
            _ = try await platform.guest("auth_login_with_session", other)
            #expect(try await platform.rows("SELECT converted_user_id FROM guest_sessions") == owner)
            #expect(owner.first?.contains("NULL") == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsOverIsDeleted(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let answer = try await platform.member().answer
            _ = try await platform.guest("auth_refresh", Self.refresh(answer))
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            _ = try await platform.refusal("auth_login_with_session", People.credentials("x@example.com"))
            let tables = [
                "refresh_tokens", "user_sessions", "password_reset_tokens", "rate_windows",
                "sign_in_failures",
            ]
            func prune() async throws -> [String] {
                try await platform.database.transaction(platform.context(), category: .automated) { tx, _ in
                    _ = try tx.enqueue(PruneSignIns())
                }
                try await platform.drainJobs()
                var left: [String] = []
                for table in tables where try await platform.count(table) > 0 { left.append(table) }
                return left
            }
            #expect(try await prune() == tables)
            platform.advance(by: .seconds(3_601))
            #expect(try await prune() == Array(tables.prefix(3)))
            platform.advance(by: .seconds(60 * 86_400))
            #expect(try await prune() == [])
        }
    }
}
