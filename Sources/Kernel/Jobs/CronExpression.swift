package import Storage

/// Five fields of cron, in UTC: minute, hour, day of month, month, day of week.
///
/// A field is `*`, a number, a range `1-5`, a list `3,15`, or any of these with
/// a step `*/5`; months and weekdays may be named (`jan`, `sun`), and Sunday is
/// 0 or 7. When both day fields are restricted a day matches if either does, as
/// crontab(5) has it.
package struct CronExpression: Sendable, Hashable {
    let minutes: Set<Int>
    let hours: Set<Int>
    let days: Set<Int>
    let months: Set<Int>
    /// 0 is Sunday.
    let weekdays: Set<Int>
    private let isAnyDay: Bool
    private let isAnyWeekday: Bool
    package let text: String

    /// Nil when the text is not five fields that can be met.
    package init?(_ text: String) {
        let fields = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 5,
            let minutes = Self.values(fields[0], 0...59), let hours = Self.values(fields[1], 0...23),
            let days = Self.values(fields[2], 1...31),
            let months = Self.values(fields[3], 1...12, names: Self.monthNames, first: 1),
            let weekdays = Self.values(fields[4], 0...7, names: Self.weekdayNames, first: 0)
        else { return nil }
        self.text = fields.joined(separator: " ")
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.weekdays = Set(weekdays.map { $0 % 7 })
        isAnyDay = fields[2].hasPrefix("*")
        isAnyWeekday = fields[4].hasPrefix("*")
        guard next(after: Instant(microseconds: 0)) != nil else { return nil }
    }

    /// The first time after `instant`; nil when there is none in the years that hold
    /// every date of the calendar on every day of the week.
    package func next(after instant: Instant) -> Instant? {
        let minute = Self.minute(instant) + 1
        return search(from: minute, by: 1)
    }

    /// The last time at or before `instant`.
    package func latest(at instant: Instant) -> Instant? { search(from: Self.minute(instant), by: -1) }

    private func search(from start: Int64, by step: Int64) -> Instant? {
        var minute = start
        var day = Self.day(of: minute)
        let last = day + step * 366 * Self.horizon
        while day != last {
            if matches(day: day) {
                while Self.day(of: minute) == day {
                    let inDay = Int(minute - day * 1440)
                    if hours.contains(inDay / 60), minutes.contains(inDay % 60) {
                        return Instant(microseconds: minute * 60_000_000)
                    }
                    minute += step
                }
            }
            day += step
            minute = step > 0 ? day * 1440 : day * 1440 + 1439
        }
        return nil
    }

    private func matches(day: Int64) -> Bool {
        let date = CivilDate(daysSinceEpoch: day)
        guard months.contains(date.month) else { return false }
        let (isDay, isWeekday) = (days.contains(date.day), weekdays.contains(date.weekday))
        return isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday
    }

    /// Years. A 29 February falls on the same weekday again after 40 at the latest,
    /// across a century without a leap day.
    private static let horizon: Int64 = 41

    private static func minute(_ instant: Instant) -> Int64 { floorDivide(instant.microseconds, 60_000_000) }
    private static func day(of minute: Int64) -> Int64 { floorDivide(minute, 1440) }

    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private static func values(
        _ field: String, _ range: ClosedRange<Int>, names: [String] = [], first: Int = 0
    ) -> Set<Int>? {
        // `Int` would take a sign, too.
        func digits(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        }
        func number(_ text: Substring) -> Int? {
            let value = names.firstIndex(of: String(text)).map { $0 + first } ?? digits(text)
            return value.flatMap { range.contains($0) ? $0 : nil }
        }
        var result: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let body = pieces.first else { return nil }
            let step = pieces.count == 2 ? digits(pieces[1]) ?? 0 : 1
            guard step > 0 else { return nil }
            let ends = body.split(separator: "-", omittingEmptySubsequences: false)
            var (low, high) = (range.lowerBound, range.upperBound)
            if body != "*" {
                guard ends.count <= 2, let from = number(ends[0]) else { return nil }
                low = from
                if ends.count == 2 {
                    guard let to = number(ends[1]), to >= from else { return nil }
                    high = to
                } else if pieces.count == 1 {
                    high = from
                }
            }
            result.formUnion(stride(from: low, through: high, by: step))
        }
        return result
    }
}

/// A date of the proleptic Gregorian calendar, by the algorithm of Howard
/// Hinnant's "chrono-Compatible Low-Level Date Algorithms".
private struct CivilDate {
    let month: Int
    let day: Int
    /// 0 is Sunday.
    let weekday: Int

    init(daysSinceEpoch days: Int64) {
        let shifted = days + 719_468
        let dayOfEra = shifted - floorDivide(shifted, 146_097) * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        // The first day of the epoch was a Thursday.
        weekday = Int(days + 4 - floorDivide(days + 4, 7) * 7)
    }
}

private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }
