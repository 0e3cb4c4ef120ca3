import Features
import Kernel
import Storage
import Testing

/// The working days after which a final decision may be taken.
@Suite struct BusinessDayTests {
    private static func day(_ text: String) throws -> CalendarDay {
        let instant = try #require(Instant(parsing: "\(text)T12:00:00Z"))
        return NewYorkTime.day(of: instant)
    }

    @Test(arguments: [
        // Federal holidays of two years as the Office of Personnel Management lists them.
        (
            2021,
            [
                "2021-01-01", "2021-01-18", "2021-02-15", "2021-05-31", "2021-06-18", "2021-07-05",
                "2021-09-06",
                "2021-10-11", "2021-11-11", "2021-11-25", "2021-12-24",
            ]
        ),
        (
            2026,
            [
                "2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03",
                "2026-09-07",
                "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25",
            ]
        ),
    ]) func theHolidaysOfAYearAreThoseOfTheList(year: Int, days: [String]) throws {
        #expect(try BusinessDays.observed(in: year) == days.map(Self.day))
    }

    @Test func aNewYearsDayOnASaturdayIsKeptInTheYearBefore() throws {
        #expect(BusinessDays.isHoliday(try Self.day("2021-12-31")))
        #expect(!BusinessDays.isHoliday(try Self.day("2022-01-01")))
        #expect(!BusinessDays.isHoliday(try Self.day("2026-12-31")))
    }

    @Test(arguments: [
        // A week without a holiday, then over Thanksgiving, over two holidays at the turn of the year,
        // and from a Saturday.
        ("2026-11-09T15:00:00Z", "2026-11-17T15:00:00Z"), ("2026-11-23T15:00:00Z", "2026-12-01T15:00:00Z"),
        ("2026-12-24T15:00:00Z", "2027-01-04T15:00:00Z"), ("2026-11-14T15:00:00Z", "2026-11-20T15:00:00Z"),
        // In New York it is still Friday.
        ("2026-11-14T03:00:00Z", "2026-11-21T03:00:00Z"),
    ]) func fiveWorkingDaysSkipWeekendsAndHolidays(start: String, end: String) throws {
        let from = try #require(Instant(parsing: start))
        #expect(BusinessDays.add(5, to: from) == Instant(parsing: end))
    }

    @Test func summerTimeBeginsAndEndsAtTwoOClock() {
        func day(_ text: String) -> Int? { Instant(parsing: text).map { NewYorkTime.day(of: $0).day } }
        // 2026: summer time from 8 March to 1 November.
        #expect(day("2026-03-08T04:59:59Z") == 7)
        #expect(day("2026-03-08T05:00:00Z") == 8)
        #expect(day("2026-03-09T03:59:59Z") == 8)
        #expect(day("2026-03-09T04:00:00Z") == 9)
        #expect(day("2026-11-01T03:59:59Z") == 31)
        #expect(day("2026-11-02T04:59:59Z") == 1)
        #expect(day("2026-11-02T05:00:00Z") == 2)
    }
}
