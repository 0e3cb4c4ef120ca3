import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct AuthenticatorTests {
    /// A platform with a token that lives for an hour.
    static func with(
        _ dialect: Dialect, _ body: (TestPlatform, Authenticator, _ token: String, ULID) async throws -> Void
    ) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (token, id) = try await platform.database.transaction(platform.context(), category: .admin) {
                tx, unit in
                try ServiceToken.create(
                    name: "robot", owner: "ada@example.com", scopes: [.read], lifetime: .seconds(3_600), tx,
                    unit.context)
            }
            try await body(platform, Authenticator(database: platform.database), token, id)
        }
    }

    static func reason(_ authenticator: Authenticator, _ header: String?, at now: Instant) async throws
        -> String?
    {
        do {
            _ = try await authenticator.actor(authorization: header, at: now)
            return nil
        } catch let failure as Failure {
            #expect(failure.code == .unauthenticated)
            return failure.reason
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenIsItsOwnersActor(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, authenticator, token, id in
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let actor = try await authenticator.actor(
                    authorization: "\(scheme) \(token)", at: platform.now)
                #expect(actor.id == id.description)
                #expect(actor.email == "ada@example.com")
                #expect(actor.scopes == [.read])
                #expect(actor.type == .mcp)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyOtherHeaderIsToldWhy(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, authenticator, token, id in
            let last = token.last == "A" ? "B" : "A"
            for (header, reason) in [
                (nil, "missing_token"), ("", "missing_token"), (token, "invalid_token"),
                ("Basic \(token)", "invalid_token"), ("Bearer", "invalid_token"),
                ("Bearer x", "invalid_token"),
                ("Bearer itk_\(id)_", "invalid_token"),
                ("Bearer \(token.dropLast())\(last)", "invalid_token"),
                ("Bearer \(token) ", "invalid_token"),
                ("Bearer itk_01ARZ3NDEKTSV4RRFFQ69G5FAV_abc", "invalid_token"),
            ] as [(String?, String)] {
                let found = try await Self.reason(authenticator, header, at: platform.now)
                #expect(found == reason, "\(header ?? "nil")")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTokenEndsWhenItExpires(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, authenticator, token, _ in
            let end = platform.now + .seconds(3_600)
            let before = try await Self.reason(authenticator, "Bearer \(token)", at: end - .microseconds(1))
            #expect(before == nil)
            let after = try await Self.reason(authenticator, "Bearer \(token)", at: end)
            #expect(after == "token_expired")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRevokedTokenEndsWithinASecond(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, authenticator, token, id in
            let header = "Bearer \(token)"
            _ = try await authenticator.actor(authorization: header, at: platform.now)
            for _ in 0..<2 {
                try await platform.database.transaction(platform.context(), category: .admin) { tx, unit in
                    try ServiceToken.revoke(id, tx, unit.context)
                }
            }
            platform.advance(by: .seconds(1))
            let reason = try await Self.reason(authenticator, header, at: platform.now)
            #expect(reason == "token_revoked")
            #expect(
                try await platform.rows("SELECT action FROM audit_logs ORDER BY id")
                    == ["action=token.create", "action=token.revoke"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyTheHashOfATokenIsStored(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform, _, token, _ in
            let secret = token.split(separator: "_", maxSplits: 2)[2]
            let dump = try await platform.dump()
            #expect(!dump.contains(secret))
            #expect(dump.contains(Secrets.hash(token)))
        }
    }
}
