import PlatformSupport
import Storage
import Testing

@testable import Kernel

@Suite struct CronExpressionTests {
    /// A date of UTC as its minute since 1970, by counting days one by one.
    static func minute(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int {
        let index = Oracle.days.firstIndex { ($0.year, $0.month, $0.day) == (year, month, day) } ?? 0
        return index * 1440 + hour * 60 + minute
    }

    static func instant(_ minute: Int) -> Instant { Instant(microseconds: Int64(minute) * 60_000_000) }

    /// Text, a time, and the next time after it.
    static let table: [(String, Int, Int)] = [
        ("* * * * *", minute(2026, 1, 31, 23, 59), minute(2026, 2, 1)),
        ("*/15 * * * *", minute(2026, 3, 1, 10, 44), minute(2026, 3, 1, 10, 45)),
        ("30 3,15 * * *", minute(2026, 3, 1, 3, 30), minute(2026, 3, 1, 15, 30)),
        ("0 */4 * * *", minute(2026, 3, 1, 20, 0), minute(2026, 3, 2)),
        ("0 1 * * sun", minute(2026, 3, 1, 0, 59), minute(2026, 3, 1, 1)),
        ("0 1 * * 7", minute(2026, 3, 1, 1), minute(2026, 3, 8, 1)),
        ("0 1 * * 0", minute(2026, 3, 1, 1), minute(2026, 3, 8, 1)),
        ("0 0 31 * *", minute(2026, 3, 31), minute(2026, 5, 31)),
        ("0 0 29 2 *", minute(2026, 1, 1), minute(2028, 2, 29)),
        ("0 0 29 2 *", minute(2096, 2, 29), minute(2104, 2, 29)),
        // Both day fields restricted: either matches. 13 March 2026 is a Friday.
        ("0 0 13 * fri", minute(2026, 3, 6), minute(2026, 3, 13)),
        ("0 0 14 * fri", minute(2026, 3, 13), minute(2026, 3, 14)),
        // One that begins with a star restricts nothing by itself.
        ("0 0 13 * */1", minute(2026, 3, 6), minute(2026, 3, 13)),
        ("0 0 */2 * mon", minute(2026, 3, 2), minute(2026, 3, 9)),
        ("5-59/20 0 1 JAN *", minute(2026, 1, 1, 0, 25), minute(2026, 1, 1, 0, 45)),
        ("10/25 * * * *", minute(2026, 1, 1, 0, 35), minute(2026, 1, 1, 1, 10)),
        ("0 0 * 2-4/2 5-7", minute(2026, 2, 28), minute(2026, 4, 3)),
        // A leap day that is a Sunday: after 1976 only in 2004, and after 2084 not before 2124.
        ("0 0 29 2 */7", minute(1976, 2, 29), minute(2004, 2, 29)),
        ("0 0 29 2 */7", minute(2088, 2, 29), minute(2128, 2, 29)),
    ]

    @Test(arguments: table) func aTimeFollowsAsCrontabHasIt(text: String, after: Int, next: Int) throws {
        let expression = try #require(CronExpression(text))
        #expect(expression.next(after: Self.instant(after)) == Self.instant(next))
        #expect(expression.latest(at: Self.instant(next)) == Self.instant(next))
        #expect(
            expression.latest(at: Self.instant(next) - .microseconds(1)).map { $0 <= Self.instant(after) }
                ?? true)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "-1 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
        "* * * 0 *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "*/ * * * *", "/5 * * * *", "1- * * * *",
        "5-1 * * * *", "1-2-3 * * * *", "1,,2 * * * *", ", * * * *", "a * * * *", "* * * foo *",
        "* mon * * *",
        "1/2/3 * * * *", "+5 * * * *", "*/+5 * * * *", "*5 * * * *", "1.5 * * * *", "0 0 31 2 *",
        "0 0 30 feb *",
        "0 0 31 4,6,9,11 *", "@daily", "* * * * fri-sun", "99999999999999999999 * * * *",
    ]) func aTextThatIsNoneIsRefused(text: String) { #expect(CronExpression(text) == nil) }

    @Test func nextAndLatestAgreeWithAWalkMinuteByMinute() throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let oracle = Oracle(&random)
            guard let expression = CronExpression(oracle.text) else {
                // Only a date that never is may be refused.
                let never = oracle.next(after: 0) == nil
                #expect(never, "\(oracle.text) seed \(seed)")
                continue
            }
            let from = Int.random(in: Self.minute(2000, 1, 1)..<Self.minute(2060, 1, 1), using: &random)
            let inMinute = Duration.microseconds(.random(in: 0..<60_000_000, using: &random))
            let instant = Self.instant(from) + inMinute
            #expect(
                expression.next(after: instant) == oracle.next(after: from).map(Self.instant),
                "\(oracle.text) after \(from) seed \(seed)")
            #expect(
                expression.latest(at: instant) == oracle.latest(at: from).map(Self.instant),
                "\(oracle.text) at \(from) seed \(seed)")
            // Each is the other's inverse.
            if let next = expression.next(after: instant) {
                #expect(expression.latest(at: next) == next)
                #expect(expression.latest(at: next - .microseconds(1)) == expression.latest(at: instant))
                #expect(expression.next(after: next - .microseconds(1)) == next)
            }
        }
    }

    @Test func anIntervalHasItsSlotsAtWholeMultiples() {
        let cadence = Cadence.every(seconds: 30)
        for (at, latest, next): (Int64, Int64, Int64) in [
            (0, 0, 30), (29_999_999, 0, 30), (30_000_000, 30, 60), (-1, -30, 0), (-30_000_000, -30, 0),
        ] {
            let instant = Instant(microseconds: at)
            #expect(cadence.latest(at: instant) == Instant(microseconds: latest * 1_000_000))
            #expect(cadence.next(after: instant) == Instant(microseconds: next * 1_000_000))
        }
        #expect(Cadence.every(seconds: 0).next(after: TestClock.start) == nil)
    }
}

/// An expression made of parts, its text, and its times found by walking.
private struct Oracle {
    struct Day {
        var year: Int
        var month: Int
        var day: Int
        var weekday: Int
    }

    /// Every day from 1970 on, counted one by one.
    static let days: [Day] = {
        var days = [Day(year: 1970, month: 1, day: 1, weekday: 4)]
        while let last = days.last, last.year < 2140 {
            var next = last
            next.weekday = (last.weekday + 1) % 7
            next.day += 1
            let isLeap = last.year % 4 == 0 && (last.year % 100 != 0 || last.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            if next.day > lengths[last.month - 1] { (next.day, next.month) = (1, last.month + 1) }
            if next.month > 12 { (next.month, next.year) = (1, last.year + 1) }
            days.append(next)
        }
        return days
    }()

    let text: String
    private let fields: [Set<Int>]
    private let isEither: Bool

    init(_ random: inout SeededGenerator) {
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]
        var texts: [String] = []
        var fields: [Set<Int>] = []
        for range in ranges {
            let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.part(range, &random) }
            texts.append(parts.map(\.text).joined(separator: ","))
            fields.append(parts.reduce(into: []) { $0.formUnion($1.values) })
        }
        text = texts.joined(separator: " ")
        fields[4] = Set(fields[4].map { $0 == 7 ? 0 : $0 })
        self.fields = fields
        isEither = texts[2].first != "*" && texts[4].first != "*"
    }

    private static func part(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> (
        text: String, values: Set<Int>
    ) {
        let low = Int.random(in: range, using: &random)
        let high = Int.random(in: low...range.upperBound, using: &random)
        let step = Int.random(in: 1...20, using: &random)
        func every(_ low: Int, _ high: Int, _ step: Int) -> Set<Int> {
            Set(range.filter { $0 >= low && $0 <= high && ($0 - low) % step == 0 })
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return ("*", Set(range))
        case 1: return ("*/\(step)", every(range.lowerBound, range.upperBound, step))
        case 2: return ("\(low)-\(high)", Set(low...high))
        case 3: return ("\(low)-\(high)/\(step)", every(low, high, step))
        case 4: return ("\(low)/\(step)", every(low, range.upperBound, step))
        default: return ("\(low)", [low])
        }
    }

    private func isDay(_ index: Int) -> Bool {
        let day = Self.days[index]
        let (isDay, isWeekday) = (fields[2].contains(day.day), fields[4].contains(day.weekday))
        return fields[3].contains(day.month) && (isEither ? isDay || isWeekday : isDay && isWeekday)
    }

    private func matches(_ minute: Int) -> Bool {
        fields[0].contains(minute % 60) && fields[1].contains(minute / 60 % 24)
    }

    func next(after start: Int) -> Int? { walk(from: start + 1, by: 1) }
    func latest(at start: Int) -> Int? { walk(from: start, by: -1) }

    private func walk(from start: Int, by step: Int) -> Int? {
        var minute = start
        while Self.days.indices.contains(minute / 1440), minute >= 0 {
            if isDay(minute / 1440) {
                if matches(minute) { return minute }
                minute += step
            } else {
                minute = step > 0 ? (minute / 1440 + 1) * 1440 : minute / 1440 * 1440 - 1
            }
        }
        return nil
    }
}
