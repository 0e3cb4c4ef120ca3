import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The founding programme and the pricing.
@Suite struct FoundingTests {
    @Test(arguments: TestDatabase.available)
    func aHundredGrantsAtATimeDoNotPassTheCap(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            _ = try await platform.call(
                "pricing_config_update", ["founding_instructor_cap": 10], as: world.admin)
            let users: [ULID] = (0..<100).map { _ in platform.environment.ids.next() }
            try await world.act { tx, context in
                for user in users { try InstructorProfile.create(user, tx, context) }
            }
            let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for user in users {
                    group.addTask { try await world.act { try Founding.grant(user, $0, $1) } }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(granted == 10)
            #expect(try await platform.count("instructor_profiles", where: "is_founding_instructor") == 10)
            #expect(
                try await platform.count(
                    "instructor_profiles", where: "is_founding_instructor AND current_tier_pct = 8") == 10)
            let view = try await platform.call("founding_count", as: world.admin)
            #expect(view["used"] == 10 && view["remaining"] == 0 && view["is_founding_phase"] == false)
            #expect(try await platform.call("public_config_show", as: .guest)["is_founding_phase"] == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aGrantCountsOnceAndStaysForLife(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.instructor()
            let first = try await world.act { try Founding.grant(ada.user, $0, $1) }
            let second = try await world.act { try Founding.grant(ada.user, $0, $1) }
            let stranger = try await world.act { try Founding.grant($1.newID(), $0, $1) }
            #expect(first && second && !stranger)
            #expect(try await world.platform.database.read { try Founding.used($0) } == 1)
            #expect(
                try await world.entries(ada).filter { $0.hasPrefix("instructor.founding_grant") }.count == 1)
            let rate = try await world.act { tx, context in
                try InstructorProfile.lock(ada.profile, tx)?.evaluateTier(
                    completedInWindow: 0, lastCompletedAt: nil, tx, context)
            }
            #expect(rate?.percent == 8)
        }
    }

    @Test func whatIsPromisedCountsAgainstTheCap() {
        #expect(Founding.remaining(cap: 100, used: 60, outstanding: 30) == 10)
        #expect(Founding.remaining(cap: 100, used: 60, outstanding: 50) == 0)
    }

    @Test(arguments: TestDatabase.available)
    func aTierIsKeptAsPercent(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.instructor()
            let now = world.platform.now
            let rate = try await world.act { tx, context in
                try InstructorProfile.lock(ada.profile, tx)?.evaluateTier(
                    completedInWindow: 11, lastCompletedAt: now, tx, context)
            }
            #expect(rate == Rate(fraction: 0.1))
            #expect(
                try await world.platform.value("SELECT current_tier_pct FROM instructor_profiles") == 10.0)
            #expect(try await world.profile(ada).lastTierEvalAt == now)
            #expect(try await world.entries(ada).last == "instructor.tier_change/success")
        }
    }

    @Test(arguments: TestDatabase.available)
    func thePricingIsCheckedAsAWholeAndItsChangeIsOnRecord(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            #expect(try await platform.call("pricing_config_show", as: world.admin)["updated_at"] == .null)
            let view = try await platform.call(
                "pricing_config_update",
                [
                    "student_fee_pct": 0.1,
                    "instructor_tiers": [
                        ["min": 1, "max": 9, "pct": 0.2], ["min": 10, "pct": 0.1],
                    ],
                ], as: world.admin)
            #expect(view["config"]?["student_fee_pct"] == 0.1)
            #expect(view["config"]?["instructor_tiers"]?[1]?["min"] == 10)
            #expect(view["config"]?["founding_instructor_cap"] == 100)
            let failure = try await platform.failure(
                "pricing_config_update", ["instructor_tiers": [["min": 2, "pct": 0.1]]], as: world.admin)
            #expect(failure?.fields.first?.name == "instructor_tiers")
            let tooMuch = try await platform.failure(
                "pricing_config_update", ["student_fee_pct": 12], as: world.admin)
            #expect(tooMuch?.code == .invalidInput)
            let student = try await platform.failure("pricing_config_update", as: world.student)
            #expect(student?.code == .forbidden)
            let changes: [String] = try await platform.database.read { db in
                try db.values("SELECT changes FROM audit_logs WHERE action = 'config.update'")
            }
            #expect(changes.count == 1)
            #expect(changes.first?.contains(#""student_fee_pct":{"new":0.1,"old":0.12}"#) == true)
            #expect(try await platform.call("public_config_show", as: .guest)["student_fee_pct"] == 0.1)
        }
    }
}
