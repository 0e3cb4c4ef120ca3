import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What a booking leaves behind before it is paid for.
@Suite struct BookingCreationTests {
    @Test(arguments: TestDatabase.available)
    func aBookingIsPendingUntilItIsPaidFor(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let answer = try await platform.call(
                "booking_create", world.arguments(at: "23:00", ["student_note": "Scales"]), as: world.student)
            #expect(answer["setup_intent_client_secret"]?.stringValue?.contains("_secret_") == true)
            let booking = try #require(answer["booking"])
            let expected: JSONObject = [
                "status": "PENDING", "payment_status": "payment_method_required", "start_time": "23:00:00",
                "end_time": "00:00:00", "duration_minutes": 60, "hourly_rate": 100.0, "total_price": 100.0,
                "total_price_cents": 10_000, "service_name": "Piano", "lesson_timezone": "America/New_York",
                "instructor_tz_at_booking": "America/New_York", "student_note": "Scales",
                "location_type": "online", "is_payment_in_progress": false,
                "booking_start_utc": .string(try world.moment("23:00").description),
                "booking_end_utc": .string(try world.moment("24:00").description),
            ]
            for (name, value) in expected { #expect(booking[name] == value, "\(name)") }
            #expect(booking["student"]?["name"]?.stringValue == "Sam S.")
            let id = try #require(booking["id"]?.stringValue.flatMap { ULID($0) })
            #expect(try await world.events(id) == ["setup_intent_created"])
            #expect(try await platform.count("stripe_customers") == 1)
            #expect(try await platform.audited("booking.create") == 1)
            // The instructor hears of it when it is paid for.
            #expect(try await world.notified(world.studentID) == ["booking.created"])
            #expect(try await world.notified(world.teacher.user) == [])
            let version = try await world.booking(id).updatedAt.microseconds
            let keys = try await platform.rows("SELECT idempotency_key FROM event_outbox")
            #expect(keys == ["idempotency_key=booking.created/\(id)/\(version)/email"])
            // And nobody is kept from the time.
            #expect(try await world.check(world.arguments(at: "23:00")) == nil)
            // The next booking is of the same customer.
            _ = try await world.book(world.arguments(at: "15:00"))
            #expect(try await platform.count("stripe_customers") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aBookingIsASnapshotOfItsService(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(
                platform, timezone: "America/Chicago", offer: ["hourly_rate": 99.99, "offers_travel": true])
            let region = try await world.area()
            let id = try await world.book(
                world.arguments(
                    minutes: 30,
                    [
                        "location_type": "student_location", "location_address": "1 Main St",
                        "location_lat": .double(Coordinates.degrees(region.center.latitude)),
                        "location_lng": .double(Coordinates.degrees(region.center.longitude)),
                        // A lesson in person is where the instructor is.
                        "timezone": "America/Los_Angeles",
                    ]))
            try await world.change("instructor_services", "hourly_rate_cents = 20000")
            try await platform.execute("UPDATE users SET timezone = 'America/New_York'")
            let view = try await platform.call(
                "booking_show", ["id": .string(id.description)], as: world.student)
            #expect(view["hourly_rate_cents"]?.intValue == 9_999)
            #expect(view["total_price_cents"]?.intValue == 5_000, "49.995, half up")
            #expect(view["lesson_timezone"]?.stringValue == "America/Chicago")
            #expect(view["student_tz_at_booking"]?.stringValue == "America/New_York")
            #expect(view["service_area"]?.stringValue == region.name)
            #expect(view["location_address"]?.stringValue == "1 Main St")
            let audit = try await platform.rows(
                "SELECT changes FROM audit_logs WHERE action = 'booking.create'")
            #expect(audit.allSatisfy { !$0.contains("Main St") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneIdempotencyKeyIsOneBooking(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            @Sendable func book(_ arguments: JSONObject, _ key: String?) async throws -> JSONValue {
                var context = platform.context(world.student)
                context.idempotencyKey = key
                return try JSONValue(
                    parsing: try await platform.runner.call("booking_create", arguments, context).bytes)
            }
            let first = try await book(world.arguments(), "one")
            let second = try await book(world.arguments(), "one")
            #expect(second["booking"]?["id"] == first["booking"]?["id"])
            #expect(second["setup_intent_client_secret"] == first["setup_intent_client_secret"])
            #expect(try await platform.count("bookings") == 1)
            await #expect(throws: Failure.self) { try await book(world.arguments(at: "12:00"), "one") }
            let ids = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        // Two calls with one key at the same moment may be told to come again.
                        for _ in 0..<50 {
                            do {
                                return try await book(world.arguments(at: "15:00"), "two")["booking"]?["id"]?
                                    .stringValue
                            } catch let failure as Failure where failure.code == .unavailable { continue }
                        }
                        return nil
                    }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(ids.count == 1 && !ids.contains(nil))
            #expect(try await platform.count("bookings") == 2)
            _ = try await book(world.arguments(at: "18:00"), nil)
            #expect(try await platform.count("bookings") == 3)
            #expect(
                try await platform.count("idempotency_keys") == 0, "an answer with a secret is not kept")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theTableAloneRefusesAnOverlap(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let (from, to) = (try world.moment("10:00"), try world.moment("11:00"))
            try await platform.book(world.teacher, from: from, to: to)
            for status in ["CONFIRMED", "COMPLETED", "NO_SHOW"] {
                await #expect(throws: StorageError.self) {
                    try await platform.book(
                        world.teacher, from: try world.moment("10:30"), to: try world.moment("11:30"),
                        status: status)
                }
            }
            try await platform.book(world.teacher, from: to, to: try world.moment("12:00"))
            for status in ["PENDING", "CANCELLED", "PAYMENT_FAILED"] {
                try await platform.book(world.teacher, from: from, to: to, status: status)
            }
            await #expect(throws: StorageError.self) {
                try await platform.execute(
                    "UPDATE bookings SET status = 'CONFIRMED' WHERE status = 'PENDING'")
            }
            // And for students.
            let other = try await platform.teacher()
            try await platform.book(other, from: from, to: to, status: "PENDING")
            try await platform.execute(
                """
                UPDATE bookings SET student_id = (SELECT student_id FROM bookings b WHERE b.status = 'CONFIRMED' \
                AND b.booking_start_utc = \(from)) WHERE instructor_id = \(other.user)
                """)
            await #expect(throws: StorageError.self) {
                try await platform.execute(
                    "UPDATE bookings SET status = 'CONFIRMED' WHERE instructor_id = \(other.user)")
            }
        }
    }
}
