import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Slots of a day and what becomes of them in the database; local time and its changes.
@Suite struct DayBitsTests {
    /// Minutes that are available, one by one.
    typealias Model = Set<Int>

    static func model(_ bits: DayBits) -> Model {
        Set((0..<DayBits.slotCount).filter { bits[$0] })
    }

    @Test func windowsAreTheRunsOfAModelThatIsASet() throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<200 {
            var (bits, model) = (DayBits(), Model())
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let start = Int.random(in: 0..<288, using: &random)
                let end = min(288, start + Int.random(in: 0...60, using: &random))
                let isOn = Bool.random(using: &random)
                bits.set(DayWindow(startMinute: start * 5, endMinute: end * 5), to: isOn)
                for slot in start..<end { if isOn { model.insert(slot) } else { model.remove(slot) } }
            }
            #expect(Self.model(bits) == model, "seed \(seed), round \(round)")
            #expect(DayBits(bits.windows) == bits, "seed \(seed), round \(round)")
            let runs = bits.windows
            #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.endMinute < $1.startMinute })
            #expect(runs.reduce(0) { $0 + $1.endMinute - $1.startMinute } == model.count * 5)
            #expect(DayBits(bytes: bits.bytes) == bits)
        }
    }

    @Test func theFirstSlotIsTheLeastSignificantBitOfTheFirstByte() {
        var bits = DayBits()
        bits[0] = true
        #expect(bits.bytes[0] == 1)
        bits[9] = true
        #expect(bits.bytes[1] == 2)
        bits[287] = true
        #expect(bits.bytes[35] == 128)
        #expect(bits.windows.last?.endMinute == 1_440)
        #expect(DayBits(bytes: [1, 2, 3]) == nil)
    }

    @Test(arguments: TestDatabase.available)
    func bitsComeBackFromTheDatabaseAsTheyWere(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            var days: [CalendarDay: DayBits] = [:]
            for index in 0..<40 {
                let bytes = (0..<36).map { _ in UInt8.random(in: 0...255, using: &random) }
                days[CalendarDay(number: 20_000 + index)] = DayBits(bytes: bytes)
            }
            try await platform.setBits(days, of: teacher)
            let found = try await platform.database.read { db in
                try AvailabilityCalendar.days(
                    teacher.user, from: CalendarDay(number: 20_000), through: CalendarDay(number: 20_039), db)
            }
            #expect(found == days, "seed \(seed)")
        }
    }

    @Test func timesOfADayAreReadStrictly() {
        #expect(ClockTime("09:30")?.minute == 570)
        #expect(ClockTime("24:00:00")?.minute == 1_440)
        for text in ["9:30", "24:05", "12:60", "12:00:01", "", "12", "-1:00", "１２:00"] {
            #expect(ClockTime(text) == nil, "\(text)")
        }
        #expect(ClockTime(minute: 1_440).description == "24:00:00")
        let untilMidnight = DayWindow(ClockTime(minute: 1_380), ClockTime(minute: 0))
        #expect(untilMidnight.slots == 276..<288)
    }

    // America/New_York: the clock skips 02:00-03:00 on 8 March 2026 and repeats 01:00-02:00 on 1 November 2026.
    static let spring = CalendarDay(parsing: "2026-03-08") ?? CalendarDay(number: 0)
    static let autumn = CalendarDay(parsing: "2026-11-01") ?? CalendarDay(number: 0)

    @Test func aChangeOfTheClockMakesShortAndLongDays() {
        let zone = LocalZone("America/New_York")
        let (short, long) = (zone.span(Self.spring), zone.span(Self.autumn))
        #expect(short.upperBound - short.lowerBound == .seconds(23 * 3_600))
        #expect(long.upperBound - long.lowerBound == .seconds(25 * 3_600))
        #expect(!zone.isPlain(Self.spring) && !zone.isPlain(Self.autumn))
        #expect(zone.isPlain(Self.spring.adding(days: 1)))
        // What is skipped lies as far after the change as it says.
        #expect(zone.instant(Self.spring, minute: 150).description == "2026-03-08T07:30:00.000000Z")
        #expect(zone.skips(Self.spring, minute: 150) && !zone.skips(Self.spring, minute: 180))
        // What happens twice is the first.
        #expect(zone.instant(Self.autumn, minute: 90).description == "2026-11-01T05:30:00.000000Z")
        #expect(zone.local(Instant(parsing: "2026-11-01T06:30:00Z") ?? .now()) == (Self.autumn, 90))
        #expect(zone.instant(Self.autumn, minute: 1_440) == long.upperBound)
    }

    @Test func momentsGoToLocalTimeAndBack() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        for name in ["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"] {
            let zone = LocalZone(name)
            for _ in 0..<300 {
                let day = CalendarDay(number: Int.random(in: 19_000...22_000, using: &random))
                let minute = Int.random(in: 0..<1_440, using: &random)
                guard !zone.skips(day, minute: minute) else { continue }
                let back = zone.local(zone.instant(day, minute: minute))
                #expect(back == (day, minute), "\(name) \(day) \(minute), seed \(seed)")
            }
        }
        #expect(LocalZone("Mars/Olympus").name == LocalZone.fallback)
    }

    @Test func openSlotsAreThoseOfANaiveCountOnAnyDay() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let zone = LocalZone("America/New_York")
        for round in 0..<120 {
            let day = [Self.spring, Self.autumn, CalendarDay(number: 20_700 + round)][round % 3]
            let bits =
                DayBits(bytes: (0..<36).map { _ in UInt8.random(in: 0...255, using: &random) }) ?? DayBits()
            let base = zone.span(day).lowerBound
            func moment() -> Instant { base + .seconds(Int.random(in: -7_200...100_000, using: &random)) }
            let taken = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                let start = moment()
                return start..<(start + .seconds(Int.random(in: 60...20_000, using: &random)))
            }
            let earliest = moment()
            let open = OpenDay.bits(bits, on: day, zone, taken: taken, earliest: earliest)
            let naive = (0..<288).filter { slot in
                let start = zone.instant(day, minute: slot * 5)
                let end = start + .seconds(300)
                return bits[slot] && start >= earliest && zone.local(start) == (day, slot * 5)
                    && !taken.contains { $0.lowerBound < end && start < $0.upperBound }
            }
            #expect(Self.model(open) == Set(naive), "seed \(seed), round \(round), \(day)")
        }
    }
}
