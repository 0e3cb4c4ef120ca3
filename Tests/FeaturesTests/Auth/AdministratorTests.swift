import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// Somebody who can sign in is always left to administer.
@Suite struct AdministratorTests {
    static func roles(_ person: Actor, _ roles: [JSONValue]) -> JSONObject {
        ["user_id": .string(person.id ?? ""), "roles": .array(roles)]
    }

    /// An instructor with a password who is an administrator as well.
    static func administrator(_ platform: TestPlatform) async throws -> Actor {
        let role: JSONObject = ["role": "instructor"]
        try await platform.letInstructorsJoin()
        _ = try await platform.guest("auth_register", People.registration(People.email, role))
        let actor = try await platform.actor(try await platform.signIn())
        try await platform.execute(
            "INSERT INTO user_roles (user_id, role, assigned_at) VALUES (\(actor.id), 'admin', 0)")
        return try await platform.again(actor)
    }

    @Test(arguments: TestDatabase.available)
    func theLastWhoCanSignInKeepsTheRoleAndTheAccount(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let last = try await Self.administrator(platform)
            let closed = try await platform.person(.admin)
            let gone = try await platform.person(.admin)
            _ = try await platform.call(
                "privacy_delete_user",
                ["user_id": .string(gone.id ?? ""), "reason": "request 7", "delete_account": false], as: last)
            try await platform.execute(
                "UPDATE users SET account_status = 'deactivated' WHERE id = \(closed.id)")
            func refused(_ name: String, _ arguments: JSONObject) async throws -> Bool {
                let failure = try await platform.failure(name, arguments, as: last)
                return failure?.code == .conflict && failure?.reason == "last_administrator"
            }
            let proof: JSONObject = ["current_password": .string(People.password)]
            #expect(try await refused("user_set_roles", Self.roles(last, ["student"])))
            #expect(try await refused("my_account_deactivate", [:]))
            for delete in [true, false] {
                let request = proof.merging(["delete_account": .bool(delete)])
                #expect(try await refused("privacy_delete_me", request))
            }
            #expect(try await platform.count("users", where: "deleted_at IS NOT NULL") == 1)
            // A pause from teaching keeps nobody from signing in.
            _ = try await platform.call("my_account_suspend", as: last)
            // Nor do those who do not administer have to stay.
            _ = try await platform.call("user_set_roles", Self.roles(closed, ["student"]), as: last)
            let other = try await platform.person(.admin)
            let done = try await platform.call(
                "privacy_delete_me", proof.merging(["delete_account": true]), as: last)
            #expect(done["status"] == "deleted")
            #expect(
                try await platform.failure(
                    "user_set_roles", Self.roles(other, ["student"]), as: other)?.reason
                    == "last_administrator")
        }
    }

    @Test(.serialized, arguments: TestDatabase.available)
    func ofTwoWhoLeaveAtOnceOneStays(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let people = [try await platform.person(.admin), try await platform.person(.admin)]
            let left = try await platform.atOnce(2) { index in
                try await platform.failure(
                    "user_set_roles", Self.roles(people[index], ["student"]), as: people[index]) == nil
            }
            #expect(left == 1)
            #expect(try await platform.count("user_roles", where: "role = 'admin'") == 1)
        }
    }
}
