import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Lessons where clocks change and where people live elsewhere.
@Suite struct BookingTimeTests {
    static let newYork = LocalZone("America/New_York")

    private static func time(_ date: String, _ start: String, _ minutes: Int) throws -> LessonTime {
        let (day, clock) = (CalendarDay(parsing: date), ClockTime(start))
        return try LessonTime(try #require(day), try #require(clock), minutes: minutes, newYork)
    }

    private static func reason(_ date: String, _ start: String, _ minutes: Int) throws -> String? {
        do {
            _ = try time(date, start, minutes)
            return nil
        } catch let failure as Failure { return failure.reason }
    }

    @Test func aLessonHasTheOffsetOfItsDay() throws {
        // The clocks go forward on 2027-03-14 and back on 2027-11-07.
        #expect(try Self.time("2027-03-13", "10:00", 60).start.description.hasPrefix("2027-03-13T15:00"))
        #expect(try Self.time("2027-03-14", "10:00", 60).start.description.hasPrefix("2027-03-14T14:00"))
        #expect(try Self.time("2027-11-06", "10:00", 60).start.description.hasPrefix("2027-11-06T14:00"))
        #expect(try Self.time("2027-11-07", "10:00", 60).start.description.hasPrefix("2027-11-07T15:00"))
        let last = try Self.time("2027-11-07", "23:00", 60)
        #expect(last.endTime.description == "00:00:00")
        #expect(last.end.description.hasPrefix("2027-11-08T05:00"))
    }

    @Test func noLessonGoesOverAChangeOfTheClock() throws {
        // 02:00 to 03:00 does not exist in spring, and 01:00 to 02:00 is there twice in autumn.
        for start in ["01:30", "02:00", "02:45"] {
            #expect(try Self.reason("2027-03-14", start, 60) == "clock_change", "\(start)")
        }
        #expect(try Self.reason("2027-03-14", "00:30", 60) == nil)
        #expect(try Self.reason("2027-03-14", "01:00", 60) == "clock_change", "it ends at 03:00")
        #expect(try Self.reason("2027-03-14", "03:00", 60) == nil)
        #expect(try Self.reason("2027-11-07", "01:15", 60) == "clock_change")
        #expect(try Self.reason("2027-11-07", "00:30", 60) == nil)
        #expect(try Self.reason("2027-11-07", "02:00", 60) == nil)
    }

    @Test(arguments: TestDatabase.available)
    func theNoticeIsCountedInHoursThatPass(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            // Saturday noon before the clocks go forward: 22 hours later it is 11:00 on Sunday.
            platform.clock.set(
                Self.newYork.instant(try #require(CalendarDay(parsing: "2027-03-13")), minute: 720))
            let world = try await LessonWorld.make(platform)
            try await world.change("instructor_profiles", "min_advance_booking_hours = 22")
            let sunday = try #require(CalendarDay(parsing: "2027-03-14"))
            #expect(try await world.check(world.arguments(on: sunday, at: "10:45")) == "min_advance_booking")
            #expect(try await world.check(world.arguments(on: sunday, at: "11:00")) == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOnlineLessonMayBeInTheStudentsZone(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let bits = DayBits([DayWindow(startMinute: 540, endMinute: 660)])
            try await platform.execute("UPDATE availability_days SET bits = \(bits)")
            // 09:00 in New York is 06:00 in Los Angeles.
            func inLosAngeles(_ time: String) async throws -> JSONValue {
                try await platform.call(
                    "booking_check_availability",
                    world.arguments(at: time, ["timezone": "America/Los_Angeles"]), as: world.student)
            }
            let answer = try await inLosAngeles("06:00")
            #expect(answer["available"]?.boolValue == true)
            #expect(answer["booking_start_utc"]?.stringValue == (try world.moment("09:00")).description)
            #expect(try await inLosAngeles("09:00")["code"]?.stringValue == "time_not_available")
            #expect(
                try await world.refusal(world.arguments(["timezone": "Mars/Olympus"]))?.code == .invalidInput)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonOverTheInstructorsMidnightNeedsBothDays(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            // 23:30 to 00:30 in New York is 20:30 to 21:30 in Los Angeles.
            let arguments = world.arguments(at: "20:30", ["timezone": "America/Los_Angeles"])
            #expect(try await world.check(arguments) == nil)
            _ = try await platform.call(
                "availability_blackout_add", ["date": .string(world.day.adding(days: 1).description)],
                as: world.teacher.actor)
            #expect(try await world.check(arguments) == "instructor_blackout")
        }
    }
}
