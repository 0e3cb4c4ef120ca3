import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// From the registration to the first lesson that can be booked.
@Suite struct OnboardingTests {
    @Test(arguments: TestDatabase.available)
    func aRegistrationMakesAProfileAndTheFirstEvent(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.instructor()
            let profile = try await world.profile(ada)
            #expect(profile.minAdvanceBookingHours == 1 && profile.bufferTimeMinutes == 15)
            #expect(profile.commission.percent == 15)
            #expect(profile.onboardingStatus == .registered)
            #expect(try await world.events(ada) == ["registered"])
            // Again, and for who is no instructor: nothing.
            try await world.act { tx, context in
                try RegisterInstructor.run(ada.user, roles: [.instructor], tx, context)
                try RegisterInstructor.run(context.newID(), roles: [.student], tx, context)
            }
            #expect(try await world.platform.count("instructor_profiles") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func stagesOnlyGoForwardWhateverTheOrder(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let seed = UInt64.random(in: .min ... .max)
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<15 {
                let ada = try await world.instructor()
                let order = (0..<25).map { _ in LifecycleEvent.allCases.randomElement(using: &generator) }
                    .compactMap { $0 }
                try await world.act { tx, context in
                    for event in order { try event.record(ada.user, tx, context) }
                }
                let written = try await world.events(ada).compactMap(LifecycleEvent.init)
                let ranks = written.filter(\.isStage).compactMap { LifecycleEvent.stages.firstIndex(of: $0) }
                #expect(zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
                let furthest = order.filter(\.isStage).compactMap { LifecycleEvent.stages.firstIndex(of: $0) }
                    .max()
                #expect(ranks.last == max(furthest ?? 0, 0), "seed \(seed)")
                // What may repeat is written every time.
                #expect(written.count { !$0.isStage } == order.count { !$0.isStage }, "seed \(seed)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theProfileIsSubmittedOnceBioAndYearsAreThere(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.instructor()
            func update(_ changes: JSONObject) async throws -> JSONValue {
                try await world.platform.call("my_instructor_profile_update", changes, as: ada.actor)
            }
            _ = try await update(["bio": "I teach the piano."])
            #expect(try await world.events(ada) == ["registered"])
            let view = try await update(["years_experience": 7, "buffer_time_minutes": 0])
            #expect(view["bio"] == "I teach the piano." && view["years_experience"] == 7)
            #expect(view["buffer_time_minutes"] == 0 && view["min_advance_booking_hours"] == 1)
            #expect(view["status"] == "registered")
            _ = try await update(["years_experience": 8])
            #expect(try await world.events(ada) == ["registered", "profile_submitted"])
            let failure = try await world.platform.failure(
                "my_instructor_profile_update", ["years_experience": -1, "colour": "red"], as: ada.actor)
            #expect(failure?.code == .invalidInput)
            #expect(Set(failure?.fields.map(\.name) ?? []) == ["years_experience", "colour"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func goingLiveNamesWhatIsMissing(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.instructor())
            func missing() async throws -> [String]? {
                let failure = try await platform.failure("my_instructor_profile_go_live", as: ada.actor)
                guard let failure else { return nil }
                #expect(failure.code == .conflict && failure.reason == "GO_LIVE_PREREQUISITES")
                return failure.fields.map(\.name)
            }
            #expect(try await missing() == ["skills", "identity", "stripe_connect", "background_check"])
            try await world.giveService(ada)
            #expect(try await missing() == ["identity", "stripe_connect", "background_check"])
            try await platform.execute(
                "UPDATE instructor_profiles SET identity_verified_at = \(platform.now) WHERE id = \(ada.profile)"
            )
            try await world.givePayouts(ada)
            #expect(try await missing() == ["background_check"])
            _ = try await platform.call("bgc_mock_review", ada.id, as: ada.actor)
            #expect(try await missing() == ["background_check"])
            _ = try await platform.call("bgc_mock_pass", ada.id, as: ada.actor)
            #expect(try await missing() == nil)
            #expect(
                try await world.events(ada) == ["registered", "bgc_initiated", "bgc_completed", "went_live"])
            // A check that ran out is none.
            try await world.act { tx, context in
                try InstructorProfile.lock(ada.profile, tx)?.setLive(
                    false, as: "instructor.pause", tx, context)
            }
            platform.advance(by: .seconds(366 * 86_400))
            #expect(try await missing() == ["background_check"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyToggleOfTheLiveFlagIsAnEvent(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            #expect(try await world.profile(ada).onboardingStatus == .live)
            let first = try await world.profile(ada).onboardingCompletedAt
            // Going live again changes nothing.
            _ = try await platform.call("my_instructor_profile_go_live", as: ada.actor)
            platform.advance(by: .seconds(60))
            _ = try await platform.call("bgc_mock_review", ada.id, as: ada.actor)
            #expect(try await world.profile(ada).isLive == false)
            #expect(try await world.profile(ada).onboardingStatus == .paused)
            _ = try await platform.call("bgc_mock_pass", ada.id, as: ada.actor)
            _ = try await platform.call("my_instructor_profile_go_live", as: ada.actor)
            #expect(
                try await world.events(ada) == [
                    "registered", "services_configured", "bgc_completed", "went_live", "paused",
                    "reactivated",
                ])
            #expect(try await world.profile(ada).onboardingCompletedAt == first)
            #expect(try await world.entries(ada).filter { $0 == "instructor.go_live/success" }.count == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonThatIsOverKeepsNobody(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            try await world.book(ada)
            try await platform.execute(
                "UPDATE bookings SET booking_end_utc = \(platform.now + .microseconds(1))")
            #expect(
                try await platform.failure("my_account_suspend", as: ada.actor)?.reason == "future_bookings")
            platform.advance(by: .microseconds(1))
            #expect(try await platform.call("my_account_status_show", as: ada.actor)["can_suspend"] == true)
            let view = try await platform.call("my_account_suspend", as: ada.actor)
            #expect(view["account_status"] == "suspended")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAccountWithBookedLessonsStays(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            try await world.book(ada)
            for name in ["my_account_suspend", "my_account_deactivate", "my_instructor_profile_delete"] {
                let failure = try await platform.failure(name, as: ada.actor)
                #expect(failure?.code == .conflict && failure?.reason == "future_bookings", "\(name)")
            }
            #expect(try await platform.call("my_account_status_show", as: ada.actor)["can_suspend"] == false)
            try await platform.execute("UPDATE bookings SET status = 'COMPLETED'")
            let view = try await platform.call("my_account_suspend", as: ada.actor)
            #expect(view["account_status"] == "suspended" && view["can_reactivate"] == true)
            #expect(
                try await platform.failure("my_instructor_profile_go_live", as: ada.actor)?.reason
                    == "account_not_active")
            let id: JSONObject = ["id": .string(ada.user.description)]
            #expect(try await platform.failure("instructor_public_show", id, as: .guest)?.code == .notFound)
            _ = try await platform.call("my_account_reactivate", as: ada.actor)
            _ = try await platform.call("instructor_public_show", id, as: .guest)
            _ = try await platform.call("my_account_deactivate", as: ada.actor)
            #expect(
                try await platform.failure("my_account_suspend", as: ada.actor)?.reason
                    == "account_deactivated")
            #expect(try await world.events(ada).suffix(3) == ["paused", "reactivated", "paused"])
            let actions = try await platform.rows(
                """
                SELECT action FROM audit_logs
                WHERE resource_type = 'instructor' AND resource_id = \(ada.user.description) ORDER BY id
                """)
            #expect(
                actions == [
                    "action=instructor.suspend", "action=instructor.reactivate",
                    "action=instructor.deactivate",
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aProfileThatIsGivenUpShowsNothingAndCanBeTakenUpAgain(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            let id: JSONObject = ["id": .string(ada.profile.description)]
            #expect(
                try await platform.failure("my_instructor_profile_create", as: ada.actor)?.reason
                    == "profile_exists")
            _ = try await platform.call("my_instructor_profile_delete", as: ada.actor)
            #expect(
                try await platform.failure("my_instructor_profile_show", as: ada.actor)?.reason
                    == "profile_not_found")
            #expect(try await platform.failure("instructor_public_show", id, as: .guest)?.code == .notFound)
            #expect(try await platform.count("instructor_services", where: "is_active") == 0)
            let again = try await platform.call(
                "my_instructor_profile_create", ["bio": "Back."], as: ada.actor)
            #expect(again["id"]?.stringValue == ada.profile.description)
            #expect(again["go_live_missing"] == ["skills"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func strangersSeeTheNameAndNothingElseOfThePerson(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            let ada = try await world.liveInstructor("Ada", "Lovelace")
            let byUser = try await platform.call(
                "instructor_public_show", ["id": .string(ada.user.description)], as: .guest)
            let byProfile = try await platform.call(
                "instructor_public_show", ["id": .string(ada.profile.description)], as: .guest)
            #expect(byUser == byProfile)
            #expect(byUser["name"] == "Ada L.")
            #expect(!byUser.text.contains("Lovelace") && !byUser.text.contains("@"))
            let other = try await world.instructor()
            let failure = try await platform.failure(
                "instructor_public_show", ["id": .string(other.user.description)], as: .guest)
            #expect(failure?.reason == "instructor_not_found")
        }
    }

    @Test(arguments: TestDatabase.available)
    func studentsHaveNoProfile(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            for name in ["my_instructor_profile_show", "my_instructor_profile_go_live", "my_account_suspend"]
            {
                let student = try await world.platform.failure(name, as: world.student)
                let guest = try await world.platform.failure(name, as: .guest)
                #expect(student?.code == .forbidden && guest?.code == .unauthenticated)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLiveFlagNeverStandsWithoutAPassedCheck(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.liveInstructor()
            for status in ["pending", "review", "failed", "consider", "canceled"] {
                await #expect(throws: StorageError.self) {
                    try await world.platform.execute(
                        "UPDATE instructor_profiles SET bgc_status = \(status) WHERE id = \(ada.profile)")
                }
            }
            // A fraction in the column of percent is refused too.
            await #expect(throws: StorageError.self) {
                try await world.platform.execute("UPDATE instructor_profiles SET current_tier_pct = 0.15")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aProfileTakesAFixedNumberOfStatements(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            func statements() async throws -> Int {
                _ = platform.database.takeStatementCount()
                _ = try await platform.call("instructor_public_show", ada.id, as: .guest)
                _ = try await platform.call("instructor_coverage_show", ada.id, as: .guest)
                return platform.database.takeStatementCount()
            }
            let before = try await statements()
            let ids: [ULID] = try await platform.database.read {
                try $0.values("SELECT id FROM region_boundaries")
            }
            try await world.act { tx, context in
                try ServiceArea.replace(ids.map { ($0, .primary, nil) }, of: ada.user, tx, context)
            }
            #expect(try await statements() == before)
        }
    }
}
