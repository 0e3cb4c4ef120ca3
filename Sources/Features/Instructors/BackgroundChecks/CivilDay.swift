package import Storage

/// A day of the Gregorian calendar, by its number since 1970-01-01.
package struct CivilDay: Sendable, Hashable {
    package let number: Int
    package let year: Int
    package let month: Int
    package let day: Int

    /// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    package init(number: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        self.number = number
        month = part < 10 ? part + 3 : part - 9
        day = dayOfYear - (153 * part + 2) / 5 + 1
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// A day that exists.
    package init(_ year: Int, _ month: Int, _ day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
        (self.year, self.month, self.day) = (year, month, day)
    }

    package var next: CivilDay { CivilDay(number: number + 1) }
    /// 1 for Monday to 7 for Sunday.
    package var weekday: Int { ((number + 3) % 7 + 7) % 7 + 1 }
}

/// The calendar of the business zone, America/New_York, under the rule in force
/// since 2007 (15 U.S.C. § 260a): summer time from the second Sunday of March
/// to the first Sunday of November, at two o'clock.
package enum NewYorkTime {
    /// The day it is there.
    package static func day(of instant: Instant) -> CivilDay {
        let seconds = floorDivided(instant.microseconds, by: 1_000_000)
        let year = CivilDay(number: Int(floorDivided(seconds, by: 86_400))).year
        let start = Int64(sunday(2, of: 3, year).number) * 86_400 + 7 * 3_600
        let end = Int64(sunday(1, of: 11, year).number) * 86_400 + 6 * 3_600
        let offset: Int64 = seconds >= start && seconds < end ? -4 : -5
        return CivilDay(number: Int(floorDivided(seconds + offset * 3_600, by: 86_400)))
    }

    private static func sunday(_ count: Int, of month: Int, _ year: Int) -> CivilDay {
        let first = CivilDay(year, month, 1)
        return CivilDay(number: first.number + (7 - first.weekday) + 7 * (count - 1))
    }

    private static func floorDivided(_ value: Int64, by divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }
}
