import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Invites that come with a registration.
@Suite struct InviteRegistrationTests {
    static func register(
        _ platform: TestPlatform, _ email: String, _ code: String? = nil, role: String = "instructor"
    ) async throws -> Failure? {
        var arguments: JSONObject = [
            "email": .string(email), "password": "Correct horse 7", "first_name": "Ada",
            "last_name": "Lovelace", "zip_code": "10001", "role": .string(role),
        ]
        if let code { arguments["metadata"] = ["invite_code": .string(code)] }
        return try await platform.failure("auth_register", arguments, as: .guest)
    }

    @Test(arguments: TestDatabase.available)
    func instructorsJoinByInviteUntilAnybodyMay(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.person(.student, email: "known@example.com")
            for email in ["ada@example.com", "known@example.com"] {
                let failure = try await Self.register(platform, email)
                #expect(failure?.reason == "invite_required" && failure?.code == .forbidden)
                #expect(failure?.hint?.contains("metadata.invite_code") == true)
            }
            #expect(try await Self.register(platform, "student@example.com", role: "student") == nil)
            #expect(try await platform.count("users") == 2, "a refusal leaves nobody behind")
            try await platform.letInstructorsJoin()
            #expect(try await Self.register(platform, "ada@example.com") == nil)
            try await platform.execute(
                "UPDATE beta_settings SET beta_disabled = \(true), allow_signup_without_invite = \(false)")
            #expect(try await Self.register(platform, "eve@example.com") == nil, "the beta is over")
        }
    }

    @Test(arguments: TestDatabase.available)
    func whomAnOperatorAddsNeedsNoInvite(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let user = try await platform.newUser(.instructor)
            for isMadeByOperator in [false, true] {
                let failure = try await platform.refusal { tx, context in
                    let account = NewAccount(
                        user: try #require(try User.find(user, tx)), email: "ada@example.com",
                        role: .instructor, isMadeByOperator: isMadeByOperator)
                    try Invite.registrationStep(account, tx, context)
                }
                #expect(failure?.reason == (isMadeByOperator ? nil : "invite_required"))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofThoseWhoRegisterWithOneInviteOneHasAnAccount(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await InviteTests.make(platform, NewInvite(email: "ada@example.com"))
            let reasons = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<3 {
                    group.addTask {
                        try await Self.register(platform, "ada\(number)@example.com", invite.code)?.reason
                    }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(reasons.count { $0 == nil } == 1)
            #expect(reasons.count { $0 == "invite_used" } == 2)
            #expect(try await platform.count("users") == 1, "a refusal leaves nobody behind")
            #expect(try await platform.count("beta_access") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRegistrationOfAKnownAddressUsesNoInvite(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await platform.person(.instructor, email: "ada@example.com")
            let invite = try await InviteTests.make(platform)
            #expect(try await Self.register(platform, "ada@example.com", invite.code) == nil)
            #expect(try await platform.count("beta_invites", where: "used_at IS NOT NULL") == 0)
            let wrong = try await Self.register(platform, "ada@example.com", "ZZZZZZZZ")
            #expect(wrong?.reason == "invite_not_found", "as for an address that nobody has")
            #expect(try await Self.register(platform, "new@example.com", "ZZZZZZZZ")?.reason == wrong?.reason)
            #expect(try await platform.count("users") == 1)
        }
    }
}
