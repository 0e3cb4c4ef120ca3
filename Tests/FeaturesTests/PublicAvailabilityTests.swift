import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What students see of an instructor's days.
@Suite struct PublicAvailabilityTests {
    static let zone = LocalZone(nil)
    static let today = zone.day(TestClock.start)

    @Test(arguments: TestDatabase.available)
    func thePublicViewIsThatOfANaiveModel(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            var days: [CalendarDay: DayBits] = [:]
            for offset in -2..<14 {
                days[Self.today.adding(days: offset)] = DayBits(
                    bytes: (0..<36).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
            try await platform.setBits(days, of: teacher)
            var taken: [(Instant, Instant)] = []
            for index in 0..<12 {
                let start = platform.now + .seconds(Int.random(in: -90_000...1_200_000, using: &random))
                let end = start + .seconds(Int.random(in: 900...7_200, using: &random))
                let status = ["CONFIRMED", "COMPLETED", "CANCELLED", "PENDING"][index % 4]
                try await platform.book(teacher, from: start, to: end, status: status)
                if index % 4 < 2 { taken.append((start, end)) }
            }
            let blackout = Self.today.adding(days: 3)
            _ = try await platform.call(
                "availability_blackout_add", ["date": .string(blackout.description)], as: teacher.actor)
            let answer = try await platform.call(
                "public_availability",
                [
                    "id": .string(teacher.user.description),
                    "end_date": .string(Self.today.adding(days: 13).description),
                ], as: .guest)
            let seen = answer["days"]?.arrayValue ?? []
            #expect(seen.count == 14)
            for (offset, shown) in seen.enumerated() {
                let day = Self.today.adding(days: offset)
                var naive = DayBits()
                for slot in 0..<288 where day != blackout && days[day]?[slot] == true {
                    let start = Self.zone.instant(day, minute: slot * 5)
                    let end = start + .seconds(300)
                    // An hour's notice, and a quarter of an hour around every lesson.
                    let isFree = taken.allSatisfy {
                        end <= $0.0 - .seconds(900) || start >= $0.1 + .seconds(900)
                    }
                    naive[slot] = isFree && start >= platform.now + .seconds(3_600)
                }
                let expected = naive.windows.map {
                    "\(ClockTime(minute: $0.startMinute))-\(ClockTime(minute: $0.endMinute))"
                }
                #expect(windows(shown["available_slots"]) == expected, "\(day), seed \(seed)")
                #expect(shown["is_blackout"]?.boolValue == (day == blackout))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyLiveInstructorsAreSeen(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher(isLive: false)
            let student = try TestPlatform.id(try await platform.person(.student))
            for id in [teacher.user, student, platform.environment.ids.next(at: platform.now)] {
                for name in ["public_availability", "public_next_available"] {
                    let failure = try await platform.failure(
                        name, ["id": .string(id.description)], as: .guest)
                    #expect(failure?.code == .notFound)
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theNextTimeIsOnTheGridAndLongEnough(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let day = Self.today.adding(days: 2)
            let id: JSONObject = ["id": .string(teacher.user.description)]
            #expect(
                try await platform.call("public_next_available", id, as: .guest)["found"]?.boolValue == false)
            // 09:05 to 10:10 holds an hour only off the grid; 13:55 to 15:00 holds it on the grid.
            try await platform.setBits(
                [
                    day: DayBits([
                        DayWindow(startMinute: 545, endMinute: 610), DayWindow(startMinute: 835, endMinute: 900),
                    ])
                ], of: teacher)
            let next = try await platform.call("public_next_available", id, as: .guest)
            #expect(next["date"]?.stringValue == day.description)
            #expect(next["start_time"]?.stringValue == "14:00:00" && next["end_time"]?.stringValue == "15:00:00")
            let short = try await platform.call(
                "public_next_available", id.merging(["duration_minutes": 45]), as: .guest)
            #expect(short["start_time"]?.stringValue == "09:15:00")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aViewTakesFourStatementsWhateverItsRange(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            for index in 0..<5 {
                let start = platform.now + .seconds(90_000 * (index + 1))
                try await platform.book(teacher, from: start, to: start + .seconds(3_600))
            }
            for days in [1, 90] {
                _ = platform.database.takeStatementCount()
                _ = try await platform.call(
                    "public_availability",
                    [
                        "id": .string(teacher.user.description),
                        "start_date": .string(Self.today.description),
                        "end_date": .string(Self.today.adding(days: days - 1).description),
                    ], as: .guest)
                #expect(platform.database.takeStatementCount() == 4)
            }
            let tooLong: JSONObject = [
                "id": .string(teacher.user.description),
                "end_date": .string(Self.today.adding(days: 90).description),
            ]
            #expect(
                try await platform.failure("public_availability", tooLong, as: .guest)?.code == .invalidInput)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSettingDecidesHowMuchPeopleAreTold(dialect: Dialect) async throws {
        for detail in ["summary", "minimal"] {
            try await TestPlatform.with(dialect, configure: { $0.publicAvailabilityDetail = detail }) { platform in
                let teacher = try await platform.teacher()
                let day = Self.today.adding(days: 1)
                try await platform.setBits(
                    [day: DayBits([DayWindow(startMinute: 600, endMinute: 660)])], of: teacher)
                let answer = try await platform.call(
                    "public_availability", ["id": .string(teacher.user.description)], as: .guest)
                #expect(answer["earliest_available_date"]?.stringValue == day.description)
                let shown = answer["days"]?.arrayValue
                if detail == "minimal" {
                    #expect(shown == nil)
                } else {
                    #expect(shown?[1]["available_minutes"]?.intValue == 60)
                    #expect(shown?[1]["available_slots"]?.isNull == true)
                }
            }
        }
    }
}
