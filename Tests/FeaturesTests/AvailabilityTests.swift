import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Instructors changing when they can be booked.
@Suite struct AvailabilityTests {
    /// The Monday after the tests' first day.
    static let monday = LocalZone(nil).day(TestClock.start).monday.adding(days: 7)

    static func save(
        _ platform: TestPlatform, _ teacher: Teacher, _ schedule: [JSONValue], _ more: JSONObject = [:]
    ) async throws -> JSONValue {
        let base: JSONObject = ["week_start": .string(monday.description), "schedule": .array(schedule)]
        return try await platform.call("availability_week_save", base.merging(more), as: teacher.actor)
    }

    static func week(_ platform: TestPlatform, _ teacher: Teacher) async throws -> JSONValue {
        try await platform.call(
            "availability_week_read", ["start_date": .string(monday.adding(days: 3).description)],
            as: teacher.actor)
    }

    @Test(arguments: TestDatabase.available)
    func aWeekIsSavedAndReadWithItsVersion(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let empty = try await Self.week(platform, teacher)
            let saved = try await Self.save(
                platform, teacher,
                [
                    slot(Self.monday, "09:00", "12:00"), slot(Self.monday, "12:00", "13:05"),
                    slot(Self.monday.adding(days: 6), "22:00", "00:00"),
                ])
            let read = try await Self.week(platform, teacher)
            #expect(windows(read["schedule"]?[Self.monday.description]) == ["09:00:00-13:05:00"])
            #expect(
                windows(read["schedule"]?[Self.monday.adding(days: 6).description]) == ["22:00:00-24:00:00"])
            #expect(read["version"] == saved["version"] && read["version"] != empty["version"])
            #expect(saved["changed_days"]?.intValue == 2)
            // The same again changes nothing, and the audit log has one entry of a change.
            _ = try await Self.save(
                platform, teacher,
                [
                    slot(Self.monday, "09:00", "13:05"),
                    slot(Self.monday.adding(days: 6), "22:00:00", "24:00:00"),
                ])
            #expect(try await platform.count("audit_logs", where: "action = 'availability.update'") == 1)
            // Adding keeps what is there; replacing does not.
            _ = try await Self.save(
                platform, teacher, [slot(Self.monday, "15:00", "16:00")], ["clear_existing": false])
            let more = try await Self.week(platform, teacher)
            #expect(
                windows(more["schedule"]?[Self.monday.description]) == ["09:00:00-13:05:00", "15:00:00-16:00:00"])
            _ = try await Self.save(platform, teacher, [])
            #expect(try await Self.week(platform, teacher)["version"] == empty["version"])
            #expect(try await platform.count("availability_days") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofManyWhoSaveTheSameVersionOneSucceeds(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let version = try #require(try await Self.week(platform, teacher)["version"]?.stringValue)
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for hour in 1...8 {
                    group.addTask {
                        do {
                            _ = try await Self.save(
                                platform, teacher, [slot(Self.monday, "0\(hour):00", "0\(hour):30")],
                                ["base_version": .string(version)])
                            return "saved"
                        } catch let failure as Failure {
                            return "\(failure.code.rawValue)/\(failure.reason ?? "")"
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == "saved" }.count == 1, "\(outcomes)")
            #expect(outcomes.filter { $0 == "conflict/version_conflict" }.count == 7, "\(outcomes)")
            #expect(try await platform.count("availability_days") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOldVersionIsRefusedWithTheNewOneUnlessOverridden(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let old = try #require(try await Self.week(platform, teacher)["version"])
            let new = try #require(
                try await Self.save(platform, teacher, [slot(Self.monday, "09:00", "10:00")])["version"]?
                    .stringValue)
            let arguments: JSONObject = [
                "week_start": .string(Self.monday.description), "schedule": [], "base_version": old,
            ]
            let failure = try await platform.failure("availability_week_save", arguments, as: teacher.actor)
            #expect(failure?.code == .conflict && failure?.reason == "version_conflict")
            #expect(failure?.message.contains(new) == true)
            // The header says the same as the argument, quoted or not.
            var context = platform.context(teacher.actor, surface: .rest)
            context.ifMatch = "\"\(try #require(old.stringValue))\""
            let plain: JSONObject = ["week_start": .string(Self.monday.description), "schedule": []]
            let stale = context
            await #expect(throws: Failure.self) {
                _ = try await platform.runner.call("availability_week_save", plain, stale)
            }
            context.ifMatch = "W/\"\(new)\""
            let answer = try await platform.runner.call("availability_week_save", plain, context)
            #expect(answer.attachments.version == old.stringValue, "the week is empty again")
            _ = try await platform.call(
                "availability_week_save", arguments.merging(["override": true, "base_version": "x"]),
                as: teacher.actor)
        }
    }

    @Test(arguments: TestDatabase.available)
    func wrongWindowsAreRefusedTogether(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let arguments: JSONObject = [
                "week_start": .string(Self.monday.description),
                "schedule": [
                    slot(Self.monday, "09:00", "11:00"), slot(Self.monday, "10:55", "12:00"),
                    slot(Self.monday, "14:00", "13:00"), slot(Self.monday.adding(days: 9), "09:00", "10:00"),
                ],
            ]
            let failure = try await platform.failure("availability_week_save", arguments, as: teacher.actor)
            #expect(failure?.httpStatus == 422)
            #expect(failure?.fields.map(\.name) == ["schedule[1]", "schedule[2]", "schedule[3]"])
            let odd: JSONObject = ["schedule": [slot(Self.monday, "09:03", "10:00")]]
            #expect(
                try await platform.failure("availability_week_save", odd, as: teacher.actor)?.code
                    == .invalidInput)
            #expect(try await platform.count("availability_days") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func daysThatAreOverStayWhenTheSettingSaysSo(dialect: Dialect) async throws {
        let today = LocalZone(nil).day(TestClock.start)
        try await TestPlatform.with(dialect, configure: { $0.availabilityAllowPast = "false" }) { platform in
            let teacher = try await platform.teacher()
            try #require(today.weekday > 1, "the tests begin in the middle of a week")
            let past = today.monday
            try await platform.setBits([past: DayBits([DayWindow(startMinute: 60, endMinute: 120)])], of: teacher)
            let arguments: JSONObject = ["schedule": [slot(past, "09:00", "10:00")]]
            #expect(
                try await platform.failure("availability_week_save", arguments, as: teacher.actor)?.code
                    == .invalidInput)
            let cleared = try await platform.call(
                "availability_week_save", ["week_start": .string(past.description), "schedule": []],
                as: teacher.actor)
            #expect(windows(cleared["schedule"]?[past.description]) == ["01:00:00-02:00:00"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWeekIsCopiedAndRepeated(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            _ = try await Self.save(
                platform, teacher,
                [slot(Self.monday, "09:00", "10:00"), slot(Self.monday.adding(days: 2), "18:00", "20:00")])
            let next = Self.monday.adding(days: 7)
            let copied = try await platform.call(
                "availability_week_copy",
                [
                    "from_week_start": .string(Self.monday.description),
                    "to_week_start": .string(next.description),
                ], as: teacher.actor)
            #expect(windows(copied["schedule"]?[next.description]) == ["09:00:00-10:00:00"])
            let end = Self.monday.adding(days: 364)
            let applied = try await platform.call(
                "availability_range_apply",
                [
                    "from_week_start": .string(Self.monday.description),
                    "start_date": .string(Self.monday.description), "end_date": .string(end.description),
                ], as: teacher.actor)
            #expect(applied["days_written"]?.intValue == 365)
            // 53 Mondays and 52 Wednesdays, of which this week and the next had theirs.
            #expect(applied["changed_days"]?.intValue == 101)
            #expect(try await platform.count("availability_days") == 105)
            let tooLong: JSONObject = [
                "from_week_start": .string(Self.monday.description),
                "start_date": .string(Self.monday.description),
                "end_date": .string(Self.monday.adding(days: 366).description),
            ]
            #expect(
                try await platform.failure("availability_range_apply", tooLong, as: teacher.actor)?.code
                    == .invalidInput)
        }
    }

    @Test(arguments: TestDatabase.available)
    func windowsAreAddedAndRemovedOneByOne(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let day: JSONObject = ["specific_date": .string(Self.monday.description)]
            let nine = day.merging(["start_time": "09:00", "end_time": "11:00"])
            _ = try await platform.call("availability_window_add", nine, as: teacher.actor)
            let clash = try await platform.failure(
                "availability_window_add", day.merging(["start_time": "10:00", "end_time": "12:00"]),
                as: teacher.actor)
            #expect(clash?.code == .conflict && clash?.reason == "overlapping_window")
            func change(_ action: String, _ start: String, _ end: String) -> JSONValue {
                .object(
                    (slot(Self.monday, start, end).objectValue ?? [:]).merging(["action": .string(action)]))
            }
            let changes: JSONValue = [
                change("add", "11:00", "12:00"), change("add", "11:30", "12:30"),
                change("remove", "09:30", "10:00"), change("remove", "20:00", "21:00"),
            ]
            let preview = try await platform.call(
                "availability_bulk_update", ["operations": changes, "validate_only": true], as: teacher.actor)
            let made = try await platform.call(
                "availability_bulk_update", ["operations": changes], as: teacher.actor)
            for answer in [preview, made] {
                let states = answer["results"]?.arrayValue?.compactMap { $0["status"]?.stringValue }
                #expect(states == ["success", "failed", "success", "failed"])
            }
            let list = try await platform.call(
                "availability_list", ["start_date": .string(Self.monday.description)], as: teacher.actor)
            #expect(
                windows(list["days"]?.arrayValue?.first?["windows"]) == [
                    "09:00:00-09:30:00", "10:00:00-12:00:00",
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPreviewSaysWhichLessonsLieOutside(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            _ = try await Self.save(platform, teacher, [slot(Self.monday, "09:00", "12:00")])
            let zone = LocalZone(nil)
            for hour in [9, 11] {
                try await platform.book(
                    teacher, from: zone.instant(Self.monday, minute: hour * 60),
                    to: zone.instant(Self.monday, minute: hour * 60 + 60))
            }
            let booked = try await platform.call(
                "availability_booked_slots", ["start_date": .string(Self.monday.description)],
                as: teacher.actor)
            #expect(windows(booked["booked_slots"]) == ["09:00:00-10:00:00", "11:00:00-12:00:00"])
            let answer = try await platform.call(
                "availability_week_validate",
                [
                    "week_start": .string(Self.monday.description),
                    "schedule": [slot(Self.monday, "08:00", "10:00")],
                ], as: teacher.actor)
            #expect(windows(answer["bookings_outside"]) == ["11:00:00-12:00:00"])
            #expect(windows(answer["added"]?.arrayValue?.first?["windows"]) == ["08:00:00-09:00:00"])
            #expect(windows(answer["removed"]?.arrayValue?.first?["windows"]) == ["10:00:00-12:00:00"])
            let unchanged = try await Self.week(platform, teacher)
            #expect(windows(unchanged["schedule"]?[Self.monday.description]) == ["09:00:00-12:00:00"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func blackoutsAreTheOwnersAndEachOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (teacher, other) = (try await platform.teacher(), try await platform.teacher())
            let arguments: JSONObject = ["date": .string(Self.monday.description), "reason": "away"]
            let added = try await platform.call("availability_blackout_add", arguments, as: teacher.actor)
            let again = try await platform.failure("availability_blackout_add", arguments, as: teacher.actor)
            #expect(again?.code == .conflict)
            _ = try await platform.call("availability_blackout_add", arguments, as: other.actor)
            let id = try #require(added["id"])
            #expect(
                try await platform.failure("availability_blackout_remove", ["id": id], as: other.actor)?.code
                    == .notFound)
            _ = try await platform.call("availability_blackout_remove", ["id": id], as: teacher.actor)
            let list = try await platform.call("availability_blackouts_list", as: teacher.actor)
            #expect(list["blackout_dates"]?.arrayValue?.isEmpty == true)
            #expect(try await platform.count("blackout_dates") == 1)
            let student = try await platform.person(.student)
            #expect(
                try await platform.failure("availability_blackout_add", arguments, as: student)?.code
                    == .forbidden)
        }
    }
}
