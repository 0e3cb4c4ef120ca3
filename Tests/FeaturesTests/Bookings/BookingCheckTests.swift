import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The ten checks before a lesson is booked, each with its code (domain specification §2.3).
@Suite struct BookingCheckTests {
    private func world(
        _ dialect: Dialect, timezone: String = "America/New_York", offer: JSONObject = [:],
        configure: (inout Configuration) -> Void = { _ in }, _ body: (LessonWorld) async throws -> Void
    ) async throws {
        try await TestPlatform.with(dialect, configure: configure) { platform in
            try await body(try await .make(platform, timezone: timezone, offer: offer))
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyAStudentBooksAndNobodyThemselves(dialect: Dialect) async throws {
        try await world(dialect) { world in
            #expect(try await world.refusal(world.arguments(), as: world.teacher.actor)?.code == .forbidden)
            let both = try await world.platform.person(.student, .instructor)
            try await world.platform.execute(
                "DELETE FROM user_roles WHERE user_id = \(try TestPlatform.id(both)) AND role = 'student'")
            let refused = try await world.refusal(world.arguments(), as: both)
            #expect(refused?.reason == "student_role_required")
            let now = world.platform.now
            try await world.platform.execute(
                """
                INSERT INTO user_roles (user_id, role, assigned_at) VALUES (\(world.teacher.user), 'student', \(now))
                """)
            let teacher = try await world.platform.again(world.teacher.actor)
            #expect(try await world.refusal(world.arguments(), as: teacher)?.reason == "own_lesson")
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyAnAccountInGoodStandingBooks(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let states: [(SQL, SQL, String)] = [
                ("account_locked = TRUE", "account_locked = FALSE", "account_locked"),
                ("account_restricted = TRUE", "account_restricted = FALSE", "account_restricted"),
                (
                    "credit_balance_frozen = TRUE", "credit_balance_frozen = FALSE", "credit_balance_frozen"
                ),
                ("credit_balance_cents = -1", "credit_balance_cents = 0", "credit_balance_negative"),
            ]
            for (broken, whole, reason) in states {
                try await world.change("users", broken)
                let refused = try await world.refusal(world.arguments())
                #expect(refused?.reason == reason && refused?.code == .forbidden)
                try await world.change("users", whole)
            }
            #expect(try await world.check(world.arguments()) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theServiceMustBeAnActiveOneOfAnActiveInstructor(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let other = try await world.platform.teacher()
            let theirs = try await world.platform.offer("guitar", by: other)
            let service: JSONObject = ["instructor_service_id": theirs["id"] ?? .null]
            #expect(
                try await world.refusal(world.arguments().merging(service))?.reason == "service_not_found")
            try await world.change("instructor_services", "is_active = FALSE")
            #expect(try await world.refusal(world.arguments())?.code == .notFound)
            try await world.change("instructor_services", "is_active = TRUE")
            try await world.platform.execute(
                "UPDATE users SET account_status = 'suspended' WHERE id = \(world.teacher.user)")
            #expect(try await world.refusal(world.arguments())?.reason == "instructor_not_bookable")
        }
    }

    @Test(arguments: TestDatabase.available)
    func inProductionTheBackgroundCheckMustBePassed(dialect: Dialect) async throws {
        for name in ["development", "production"] {
            try await world(dialect, configure: { $0.environmentName = name }) { world in
                #expect(try await world.check(world.arguments()) == nil)
                try await world.change("instructor_profiles", "is_live = FALSE, bgc_status = 'review'")
                #expect(
                    try await world.check(world.arguments())
                        == (name == "production" ? "instructor_not_bookable" : nil))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLengthMustBeOneOfTheServices(dialect: Dialect) async throws {
        try await world(dialect) { world in
            #expect(try await world.check(world.arguments(minutes: 90)) == nil)
            let refused = try await world.refusal(world.arguments(minutes: 45))
            #expect(refused?.reason == "duration_not_offered")
            #expect(refused?.fields.map(\.name) == ["selected_duration"])
            #expect(refused?.message.contains("30, 60, 90") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonBeginsOnAQuarterAndEndsByMidnight(dialect: Dialect) async throws {
        try await world(dialect) { world in
            for (time, expected) in [
                ("10:10", "start_not_aligned"), ("10:15", nil), ("23:00", nil),
                ("23:15", "ends_after_midnight"),
                ("24:00", "ends_after_midnight"),
            ] as [(String, String?)] {
                let found = try await world.check(world.arguments(at: time))
                #expect(found == expected, "\(time)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPlaceMustBeOfferedAndReached(dialect: Dialect) async throws {
        try await world(dialect) { world in
            func at(_ type: String, _ more: JSONObject = [:]) async throws -> String? {
                try await world.check(
                    world.arguments(
                        (["location_type": .string(type), "location_address": "1 Main St"] as JSONObject)
                            .merging(more)))
            }
            for type in ["student_location", "neutral_location"] {
                #expect(try await at(type) == "TRAVEL_NOT_OFFERED")
            }
            #expect(try await at("instructor_location") == "AT_LOCATION_NOT_OFFERED")
            try await world.change(
                "instructor_services",
                "offers_travel = TRUE, offers_at_location = TRUE, offers_online = FALSE")
            #expect(try await at("online") == "ONLINE_NOT_OFFERED")
            #expect(try await at("instructor_location") == nil)
            #expect(try await at("instructor_location", ["location_address": ""]) == "ADDRESS_REQUIRED")
            let region = try await world.area()
            func point(_ point: Coordinates) -> JSONObject {
                [
                    "location_lat": .double(Coordinates.degrees(point.latitude)),
                    "location_lng": .double(Coordinates.degrees(point.longitude)),
                ]
            }
            for type in ["student_location", "neutral_location"] {
                #expect(try await at(type) == "COORDINATES_REQUIRED")
                #expect(try await at(type, ["location_lat": 40.7]) == "COORDINATES_REQUIRED")
                #expect(
                    try await at(type, point(Coordinates(latitude: 0, longitude: 0)))
                        == "OUTSIDE_SERVICE_AREA")
                #expect(try await at(type, point(region.center)) == nil)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func allOfTheTimeMustBeAvailable(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let bits = DayBits([DayWindow(startMinute: 600, endMinute: 660)])
            try await world.platform.execute(
                """
                UPDATE availability_days SET bits = \(bits) WHERE instructor_id = \(world.teacher.user)
                AND day_date = \(world.day)
                """)
            #expect(try await world.check(world.arguments(at: "10:00")) == nil)
            for time in ["09:45", "10:15", "12:00"] {
                #expect(try await world.check(world.arguments(at: time)) == "time_not_available")
            }
            #expect(
                try await world.check(world.arguments(on: world.day.adding(days: 30)))
                    == "time_not_available")
        }
    }

    @Test(arguments: TestDatabase.available)
    func nothingIsBookedOnABlackoutDate(dialect: Dialect) async throws {
        try await world(dialect) { world in
            _ = try await world.platform.call(
                "availability_blackout_add", ["date": .string(world.day.description)],
                as: world.teacher.actor)
            #expect(try await world.check(world.arguments()) == "instructor_blackout")
            #expect(try await world.check(world.arguments(on: world.day.adding(days: 1))) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func nobodyIsInTwoLessonsAtATime(dialect: Dialect) async throws {
        try await world(dialect) { world in
            for (offset, status) in ["CONFIRMED", "COMPLETED", "NO_SHOW", "CANCELLED", "PENDING"].enumerated()
            {
                let day = world.day.adding(days: offset)
                try await world.platform.book(
                    world.teacher, from: world.moment("10:30", on: day),
                    to: world.moment("11:30", on: day), status: status)
                let refused = try await world.refusal(world.arguments(on: day, at: "10:00"))
                if offset < 3 {
                    #expect(refused?.reason == "booking_conflict_instructor", "\(status)")
                    #expect(refused?.code == .conflict)
                    #expect(refused?.details["conflict_scope"]?.stringValue == "instructor")
                } else {
                    #expect(try await world.check(world.arguments(on: day, at: "10:00")) == nil, "\(status)")
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theBufferIsTheInstructorsAndNotTheStudents(dialect: Dialect) async throws {
        try await world(dialect) { world in
            try await world.platform.book(
                world.teacher, from: world.moment("12:00"), to: world.moment("13:00"))
            // A quarter of an hour on both sides.
            #expect(try await world.check(world.arguments(at: "11:00")) == "booking_conflict_instructor")
            #expect(try await world.check(world.arguments(at: "10:45")) == nil)
            #expect(try await world.check(world.arguments(at: "13:00")) == "booking_conflict_instructor")
            #expect(try await world.check(world.arguments(at: "13:15")) == nil)
            // The student's own lesson with somebody else.
            let other = try await world.platform.teacher()
            try await world.platform.book(other, from: world.moment("16:00"), to: world.moment("17:00"))
            try await world.platform.execute(
                "UPDATE bookings SET student_id = \(world.studentID) WHERE instructor_id = \(other.user)")
            #expect(try await world.check(world.arguments(at: "16:30")) == "booking_conflict_student")
            #expect(try await world.check(world.arguments(at: "15:00")) == nil)
            #expect(try await world.check(world.arguments(at: "17:00")) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theNoticeIsTheInstructors(dialect: Dialect) async throws {
        try await world(dialect) { world in
            try await world.change("instructor_profiles", "min_advance_booking_hours = 24")
            // It is 06:06:40 in New York.
            let tomorrow = world.zone.day(world.platform.now).adding(days: 1)
            #expect(
                try await world.check(world.arguments(on: tomorrow, at: "06:00")) == "min_advance_booking")
            #expect(try await world.check(world.arguments(on: tomorrow, at: "06:15")) == nil)
            try await world.change("instructor_profiles", "min_advance_booking_hours = 0")
            let today = tomorrow.adding(days: -1)
            #expect(try await world.check(world.arguments(on: today, at: "06:00")) == "min_advance_booking")
            #expect(try await world.check(world.arguments(on: today, at: "06:15")) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPriceIsNotBelowTheFloor(dialect: Dialect) async throws {
        try await world(dialect) { world in
            try await world.change("instructor_services", "hourly_rate_cents = 5999")
            #expect(try await world.check(world.arguments()) == "PRICE_BELOW_FLOOR")
            // 29.995 is 30.00, half up, which is the floor of half an hour.
            #expect(try await world.check(world.arguments(minutes: 30)) == nil)
            try await world.change("instructor_services", "hourly_rate_cents = 6000")
            #expect(try await world.check(world.arguments()) == nil)
            try await world.change(
                "instructor_services", "hourly_rate_cents = 7999, offers_at_location = TRUE")
            #expect(
                try await world.check(
                    world.arguments(["location_type": "instructor_location", "location_address": "1 Main St"])
                )
                    == "PRICE_BELOW_FLOOR")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theFirstCheckThatFailsSaysWhy(dialect: Dialect) async throws {
        try await world(dialect) { world in
            // Broken from the last to the first, each stays broken.
            var arguments = world.arguments()
            let both = try await world.platform.person(.student)
            try await world.change("instructor_services", "hourly_rate_cents = 100")
            #expect(try await world.refusal(arguments)?.reason == "PRICE_BELOW_FLOOR")
            try await world.change("instructor_profiles", "min_advance_booking_hours = 168")
            arguments["booking_date"] = .string(world.day.adding(days: -1).description)
            #expect(try await world.refusal(arguments)?.reason == "min_advance_booking")
            let day = world.day.adding(days: -1)
            try await world.platform.book(
                world.teacher, from: world.moment("10:00", on: day), to: world.moment("11:00", on: day))
            #expect(try await world.refusal(arguments)?.reason == "booking_conflict_instructor")
            try await world.platform.execute("DELETE FROM availability_days")
            #expect(try await world.refusal(arguments)?.reason == "time_not_available")
            try await world.change("instructor_services", "offers_travel = TRUE, offers_online = FALSE")
            #expect(try await world.refusal(arguments)?.reason == "ONLINE_NOT_OFFERED")
            arguments["start_time"] = "10:05"
            #expect(try await world.refusal(arguments)?.reason == "start_not_aligned")
            arguments["selected_duration"] = 45
            #expect(try await world.refusal(arguments)?.reason == "duration_not_offered")
            try await world.change("instructor_services", "is_active = FALSE")
            #expect(try await world.refusal(arguments)?.reason == "service_not_found")
            try await world.change("users", "account_locked = TRUE")
            #expect(try await world.refusal(arguments)?.reason == "account_locked")
            try await world.platform.execute("DELETE FROM user_roles WHERE user_id = \(world.studentID)")
            #expect(try await world.refusal(arguments)?.reason == "student_role_required")
            #expect(try await world.refusal(arguments, as: both)?.reason == "service_not_found")
            #expect(try await world.platform.count("bookings") == 1, "nothing was booked")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aBookingThatIsMovedDoesNotStandInItsOwnWay(dialect: Dialect) async throws {
        try await world(dialect) { world in
            try await world.platform.book(
                world.teacher, from: world.moment("10:00"), to: world.moment("11:00"))
            let id = try await world.platform.value("SELECT id FROM bookings", as: String.self) ?? ""
            let moved = world.arguments(at: "10:30", ["exclude_booking_id": .string(id)])
            let failure = try await world.platform.failure(
                "booking_check_availability", moved, as: world.student)
            #expect(failure?.code == .notFound, "it is somebody else's")
            try await world.platform.execute("UPDATE bookings SET student_id = \(world.studentID)")
            #expect(try await world.check(moved) == nil)
            #expect(try await world.check(world.arguments(at: "10:30")) == "booking_conflict_instructor")
        }
    }
}
