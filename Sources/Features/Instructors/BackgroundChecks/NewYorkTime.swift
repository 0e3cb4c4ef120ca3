package import Kernel
package import Storage

/// The calendar of the business zone, America/New_York, under the rule in force
/// since 2007 (15 U.S.C. § 260a): summer time from the second Sunday of March
/// to the first Sunday of November, at two o'clock.
package enum NewYorkTime {
    /// The day it is there.
    package static func day(of instant: Instant) -> CalendarDay {
        let year = CalendarDay.utc(instant).year
        let isSummer =
            instant >= sunday(2, of: 3, year) + .seconds(7 * 3_600)
            && instant < sunday(1, of: 11, year) + .seconds(6 * 3_600)
        return CalendarDay.utc(instant - .seconds((isSummer ? 4 : 5) * 3_600))
    }

    private static func sunday(_ count: Int, of month: Int, _ year: Int) -> Instant {
        let first = CalendarDay(year: year, month: month, day: 1) ?? CalendarDay(number: 0)
        return first.adding(days: 7 - first.weekday + 7 * (count - 1)).startUTC
    }
}
