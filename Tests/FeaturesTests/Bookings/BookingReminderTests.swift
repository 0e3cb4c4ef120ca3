import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Reminders a day and an hour before a lesson.
@Suite struct BookingReminderTests {
    private static func reminders(_ world: LessonWorld, _ user: ULID) async throws -> [String] {
        try await world.notified(user).filter { $0.hasPrefix("booking.reminder") }
    }

    /// A lesson of the world's student, so long after now.
    private static func given(_ world: LessonWorld, in wait: Duration, status: String = "CONFIRMED")
        async throws
    {
        let start = world.platform.now + wait
        try await world.platform.book(world.teacher, from: start, to: start + .seconds(600), status: status)
        try await world.platform.execute(
            """
            UPDATE bookings SET student_id = \(world.studentID)
            WHERE booking_start_utc = \(start) AND instructor_id = \(world.teacher.user)
            """)
    }

    @Test(arguments: TestDatabase.available)
    func bothAreRemindedOnceADayAndAnHourBefore(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await platform.execute(
                "UPDATE users SET timezone = 'America/Los_Angeles' WHERE id = \(world.studentID)")
            try await Self.given(world, in: .seconds(86_400 + 901))
            try await platform.runJob(SendBookingReminders())
            #expect(try await Self.reminders(world, world.studentID) == [])
            platform.advance(by: .seconds(1))
            for _ in 0..<2 { try await platform.runJob(SendBookingReminders()) }
            for user in [world.studentID, world.teacher.user] {
                #expect(try await Self.reminders(world, user) == ["booking.reminder_24h"])
            }
            // 11:21:41 UTC, on the clock of each.
            let bodies = try await platform.rows("SELECT body FROM notifications ORDER BY body")
            #expect(bodies.contains { $0.contains("at 03:21 (America/Los_Angeles)") })
            #expect(bodies.contains { $0.contains("at 06:21 (America/New_York)") })
            platform.advance(by: .seconds(86_400 - 3_600))
            for _ in 0..<2 { try await platform.runJob(SendBookingReminders()) }
            for user in [world.studentID, world.teacher.user] {
                #expect(
                    try await Self.reminders(world, user) == ["booking.reminder_24h", "booking.reminder_1h"])
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyConfirmedLessonsInTheWindowAreRemindedOf(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            for status in ["PENDING", "CANCELLED", "PAYMENT_FAILED", "COMPLETED"] {
                try await Self.given(world, in: .seconds(3_600), status: status)
                try await platform.execute("UPDATE bookings SET booking_start_utc = booking_start_utc + 1")
            }
            try await Self.given(world, in: .seconds(3_600 - 901))
            try await Self.given(world, in: .seconds(86_400 - 901))
            try await platform.runJob(SendBookingReminders())
            #expect(try await Self.reminders(world, world.studentID) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneThatCannotBeSentHoldsUpNoOther(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await Self.given(world, in: .seconds(3_600))
            let broken = try await LessonWorld.make(platform)
            try await Self.given(broken, in: .seconds(3_600))
            try await platform.execute("UPDATE users SET email = 'nowhere' WHERE id = \(broken.studentID)")
            try await platform.runJob(SendBookingReminders())
            #expect(try await Self.reminders(world, world.studentID) == ["booking.reminder_1h"])
            #expect(try await Self.reminders(broken, broken.teacher.user) == [], "both or none")
            try await platform.execute(
                "UPDATE users SET email = 'now@example.com' WHERE id = \(broken.studentID)")
            try await platform.runJob(SendBookingReminders())
            #expect(try await Self.reminders(broken, broken.teacher.user) == ["booking.reminder_1h"])
            #expect(try await Self.reminders(world, world.studentID).count == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAdministratorSendsThemNow(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await Self.given(world, in: .seconds(3_600))
            for actor in [world.student, world.teacher.actor] {
                #expect(try await platform.failure("bookings_send_reminders", as: actor)?.code == .forbidden)
            }
            let admin = try await platform.person(.admin)
            let answer = try await platform.call("bookings_send_reminders", as: admin)
            #expect(answer["reminders_sent"]?.intValue == 1 && answer["has_more"]?.boolValue == false)
            let again = try await platform.call("bookings_send_reminders", as: admin)
            #expect(again["reminders_sent"]?.intValue == 0)
        }
    }
}
