import Kernel
import Storage
import Testing

@Suite struct CalendarDayTests {
    @Test(arguments: [
        ("1970-01-01", 0, 4), ("2026-11-23", 20_780, 1), ("2000-02-29", 11_016, 2), ("1969-12-31", -1, 3),
    ])
    func aDayHasItsNumberAndWeekday(text: String, number: Int, weekday: Int) throws {
        let day = try #require(CalendarDay(parsing: text))
        #expect(day.number == number)
        #expect(day.weekday == weekday)
        #expect(day.description == text)
    }

    @Test(arguments: [
        "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "26-01-01", "2026/01/01",
        "2026-01-01T", "", "0000-01-01", "２026-01-0",
    ]) func whatIsNoDayIsRefused(text: String) { #expect(CalendarDay(parsing: text) == nil) }

    @Test func everyDayOfFourCenturiesComesBackAndFollowsTheLast() throws {
        var day = try #require(CalendarDay(parsing: "1899-12-31"))
        for _ in 0..<146_097 {
            let next = day.adding(days: 1)
            #expect(next > day && next.weekday == day.weekday % 7 + 1)
            #expect(CalendarDay(year: next.year, month: next.month, day: next.day) == next)
            #expect(CalendarDay.utc(next.startUTC) == next)
            #expect(CalendarDay.utc(next.startUTC - .microseconds(1)) == day)
            day = next
        }
        #expect(day.monday.weekday == 1)
    }
}
