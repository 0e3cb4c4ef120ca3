import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// How administrators find bookings.
@Suite struct AdminBookingListTests {
    private func ids(_ world: LessonWorld, _ arguments: JSONObject, _ admin: Actor) async throws -> [String] {
        let page = try await world.platform.call("admin_bookings_list", arguments, as: admin)
        return (page["items"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
    }

    @Test(arguments: TestDatabase.available)
    func filtersFindWhatTheyName(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let pending = try await world.book(world.arguments(at: "15:00")).description
            let next = try await world.book(
                world.arguments(on: world.day.adding(days: 1)),
                as: try await world.platform.person(.student, firstName: "100%", lastName: "Nora")
            ).description
            let confirmed = try await world.scheduled().description
            let admin = try await world.administrator()
            #expect(try await ids(world, [:], admin) == [confirmed, next, pending])
            #expect(try await ids(world, ["status": ["CONFIRMED"]], admin) == [confirmed])
            #expect(
                try await ids(world, ["status": ["CONFIRMED", "PENDING"], "search": "sam"], admin)
                    == [confirmed, pending])
            #expect(try await ids(world, ["payment_status": ["scheduled"]], admin) == [confirmed])
            let (day, after) = (world.day.description, world.day.adding(days: 1).description)
            #expect(try await ids(world, ["date_from": .string(after)], admin) == [next])
            #expect(try await ids(world, ["date_to": .string(day)], admin) == [confirmed, pending])
            #expect(try await ids(world, ["search": "100%"], admin) == [next])
            #expect(try await ids(world, ["search": "1_0%"], admin) == [], "no pattern of the caller's")
            #expect(try await ids(world, ["search": "lopez"], admin) == [confirmed, next, pending])
            #expect(try await ids(world, ["search": .string(next)], admin) == [next])
            #expect(try await ids(world, ["needs_action": true], admin) == [])
            try world.left(.zero - LessonWorld.hour)
            #expect(try await ids(world, ["needs_action": true], admin) == [confirmed])
            #expect(try await ids(world, ["needs_action": false], admin) == [next, pending])
            let failure = try await world.platform.failure(
                "admin_bookings_list", ["date_from": .string(after), "date_to": .string(day)], as: admin)
            #expect(failure?.code == .invalidInput)
            let refused = try await world.platform.failure("admin_bookings_list", [:], as: world.student)
            #expect(refused?.code == .forbidden)
        }
    }

    @Test(arguments: TestDatabase.available)
    func pagesByNumberAndByCursorShowTheSameRowsInTwoStatements(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let now = world.platform.now
            let ids = (0..<7).map { _ in world.platform.newID() }
            for id in ids {
                try await world.platform.execute(
                    """
                    INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at)
                    VALUES (\(id), \(world.studentID), \(world.teacher.user), 'PENDING', \(now), \(now))
                    """)
            }
            let admin = try await world.administrator()
            let newest = ids.reversed().map(\.description)
            var cursor: String?
            var followed: [String] = []
            repeat {
                var arguments: JSONObject = ["per_page": 3]
                if let cursor { arguments["cursor"] = .string(cursor) }
                let page = try await world.platform.call("admin_bookings_list", arguments, as: admin)
                followed += (page["items"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue
                #expect(page["has_next"]?.boolValue == (cursor != nil))
            } while cursor != nil
            #expect(followed == newest)
            for page in 1...3 {
                _ = world.platform.database.takeStatementCount()
                let shown = try await self.ids(world, ["per_page": 3, "page": .int(page)], admin)
                #expect(shown == Array(newest[((page - 1) * 3)..<min(7, page * 3)]))
                #expect(world.platform.database.takeStatementCount() == 2)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func statisticsAreWhatTheLedgerSays(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            let stats = try await world.platform.call("admin_bookings_stats", [:], as: admin)
            // It was captured the day after the lesson.
            #expect(stats["today"]?["booking_count"]?.intValue == 0)
            #expect(stats["today"]?["gmv_cents"]?.intValue == 10_000)
            #expect(stats["today"]?["platform_revenue_cents"]?.intValue == 2_700)
            #expect(stats["this_week"]?["booking_count"]?.intValue == 1)
            #expect(stats["this_week"]?["booked_cents"]?.intValue == 10_000)
            #expect(stats["needs_action"]?["disputed"]?.intValue == 0)
            _ = try await AdminBookingTests.refund(world, id, 2_800, by: admin)
            let after = try await world.platform.call("admin_bookings_stats", [:], as: admin)
            #expect(after["today"]?["platform_revenue_cents"]?.intValue == 2_025)
            try await world.platform.execute("UPDATE bookings SET status = 'CONFIRMED'")
            let open = try await world.platform.call("admin_bookings_stats", [:], as: admin)
            #expect(open["needs_action"]?["pending_completion"]?.intValue == 1)
        }
    }
}
