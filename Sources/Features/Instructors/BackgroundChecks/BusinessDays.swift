package import Kernel
package import Storage

/// Working days of the United States: Monday to Friday without federal holidays.
///
/// Source: 5 U.S.C. § 6103 (a) for the holidays; (b) and Executive Order 11582
/// for those that fall on a weekend: Saturday's is kept on Friday, Sunday's on
/// Monday.
package enum BusinessDays {
    /// The moment so many working days later, at the same time of the clock; the
    /// day itself does not count.
    package static func add(_ count: Int, to instant: Instant) -> Instant {
        let first = NewYorkTime.day(of: instant)
        var day = first
        var left = count
        while left > 0 {
            day = day.adding(days: 1)
            if isWorkingDay(day) { left -= 1 }
        }
        return instant + .seconds((day.number - first.number) * 86_400)
    }

    /// Whether offices are open.
    package static func isWorkingDay(_ day: CalendarDay) -> Bool { day.weekday <= 5 && !isHoliday(day) }

    /// Whether a federal holiday is kept on that day.
    package static func isHoliday(_ day: CalendarDay) -> Bool {
        // The first of January may be kept on the last day of the year before.
        [day.year, day.year + 1].contains { observed(in: $0).contains(day) }
    }

    /// The days on which the holidays of a year are kept, in order.
    package static func observed(in year: Int) -> [CalendarDay] {
        [
            kept(day(year, 1, 1)), nth(3, weekday: 1, of: 1, year), nth(3, weekday: 1, of: 2, year),
            last(weekday: 1, of: 5, year), kept(day(year, 6, 19)), kept(day(year, 7, 4)),
            nth(1, weekday: 1, of: 9, year), nth(2, weekday: 1, of: 10, year), kept(day(year, 11, 11)),
            nth(4, weekday: 4, of: 11, year), kept(day(year, 12, 25)),
        ]
    }

    private static func kept(_ day: CalendarDay) -> CalendarDay {
        switch day.weekday {
        case 6: day.adding(days: -1)
        case 7: day.adding(days: 1)
        default: day
        }
    }

    private static func nth(_ count: Int, weekday: Int, of month: Int, _ year: Int) -> CalendarDay {
        let first = day(year, month, 1)
        let ahead = (weekday - first.weekday + 7) % 7
        return first.adding(days: ahead + 7 * (count - 1))
    }

    private static func last(weekday: Int, of month: Int, _ year: Int) -> CalendarDay {
        let fourth = nth(4, weekday: weekday, of: month, year)
        let fifth = fourth.adding(days: 7)
        return fifth.month == month ? fifth : fourth
    }

    /// A day that exists.
    private static func day(_ year: Int, _ month: Int, _ day: Int) -> CalendarDay {
        CalendarDay(year: year, month: month, day: day) ?? CalendarDay(number: 0)
    }
}
