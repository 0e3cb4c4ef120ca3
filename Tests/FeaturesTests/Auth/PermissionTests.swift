import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// What the permissions of domain specification §1.1 are asked for.
@Suite struct PermissionTests {
    /// What asks for them is not there yet, or is public.
    static let unasked: [Permission: String] = [
        // Whoever takes part in a booking may see and cancel it, by its row.
        .viewOwnBookings: "participants", .viewBookingDetails: "participants",
        .cancelOwnBookings: "participants", .cancelStudentBookings: "participants",
        .viewAllBookings: "administrators hold view_financials",
        .viewOwnInstructorAnalytics: "an instructor's analytics",
        .exportAnalytics: "an export of analytics", .moderateMessages: "moderation of messages",
        .viewInstructors: "public", .viewInstructorAvailability: "public",
    ]
    /// Asked for by an operation that is also for guests, or as a scope of the operators' tools.
    static let asked: Set<Permission> = [.viewOwnSearchHistory, .mcpAccess]

    @Test func everyPermissionIsAskedForOrWaitsForWhatIsNotThere() async throws {
        try await TestPlatform.with(.sqlite) { platform in
            let holders = platform.runner.catalog.all.compactMap { operation -> Permission? in
                if case .holders(let permission) = operation.audience { permission } else { nil }
            }
            let used = Set(holders).union(Self.asked)
            #expect(used.intersection(Self.unasked.keys) == [], "it is asked for by now")
            #expect(used.subtracting(Permission.all) == [], "there is no such permission")
            #expect(Set(Permission.all).subtracting(used).subtracting(Self.unasked.keys) == [])
        }
    }

    static let own: [(operation: String, arguments: JSONObject, permission: Permission)] = [
        ("auth_me_update", ["first_name": "Mary"], .manageOwnProfile),
        ("account_phone_update", ["phone_number": "2125554567"], .manageOwnProfile),
        ("account_phone_verify", [:], .manageOwnProfile),
        ("account_phone_verify_confirm", ["code": "000000"], .manageOwnProfile),
        ("my_address_delete", ["id": "01M83G4F6A82TMWD4Y4VPY3R46"], .manageOwnProfile),
        (
            "auth_change_password",
            ["current_password": .string(People.password), "new_password": "Another horse 2"],
            .changeOwnPassword
        ),
        (
            "privacy_delete_me", ["delete_account": true, "current_password": .string(People.password)],
            .deleteOwnAccount
        ),
        ("search_history_list", [:], .viewOwnSearchHistory),
    ]

    @Test(arguments: TestDatabase.available)
    func aRevokeTakesAwayWhatPeopleDoWithTheirOwn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (actor, answer) = try await platform.member()
            let admin = try await platform.person(.admin)
            for (operation, arguments, permission) in Self.own {
                let before = try await platform.failure(operation, ["unknown": 1], as: actor)
                #expect(before?.code == .invalidInput, "\(operation) is theirs until it is revoked")
                _ = try await platform.call(
                    "user_set_permission",
                    [
                        "user_id": .string(actor.id ?? ""), "permission": .string(permission.rawValue),
                        "granted": false,
                    ], as: admin)
                let failure = try await platform.failure(
                    operation, arguments, as: try await platform.actor(answer))
                #expect(
                    failure?.code == .forbidden && failure?.reason == "missing_permission", "\(operation)")
            }
            #expect(try await platform.count("users", where: "deleted_at IS NOT NULL") == 0)
            let guest: JSONObject = ["guest_session_id": "guest-session-1"]
            #expect(try await platform.refusal("search_history_list", guest) == nil)
        }
    }
}
