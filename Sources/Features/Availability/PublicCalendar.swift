package import Kernel
package import Storage

/// What students see of an instructor's days: windows without lessons (each
/// widened by the buffer), without what is too soon, and without blackout dates.
///
/// Four statements, whatever the range. Domain specification §1.5.
package struct PublicCalendar: Sendable {
    package static let defaultDays = 30
    package static let longestDays = 90
    /// No lesson is longer, so none that began earlier can reach into a range.
    private static let longestLesson = Duration.seconds(86_400)

    package let instructor: InstructorRules
    package let zone: LocalZone
    package let today: CalendarDay
    package let first: CalendarDay
    package let last: CalendarDay
    package let blackouts: Set<CalendarDay>
    /// Days with something to book.
    package let open: [CalendarDay: DayBits]

    /// - Parameter id: the instructor's user id.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for whoever is not a live instructor.
    package static func read(
        _ id: ULID, from start: CalendarDay?, through end: CalendarDay?, now: Instant, _ db: Snapshot
    ) throws -> PublicCalendar {
        guard let instructor = try InstructorRules.live(id, db) else {
            throw Failure(.notFound, "There is no instructor with the id \(id).")
        }
        let zone = LocalZone(instructor.timezone)
        let today = zone.day(now)
        let (first, last) = try range(start, end, today: today)
        let days = try AvailabilityCalendar.days(id, from: max(first, today), through: last, db)
        let blackouts = try BlackoutDate.days(id, from: first, through: last, db)
        let taken = try self.taken(
            id, zone.span(first).lowerBound..<zone.span(last).upperBound, instructor, db)
        let earliest = now + instructor.advance
        var open: [CalendarDay: DayBits] = [:]
        for (day, bits) in days where !blackouts.contains(day) {
            let left = OpenDay.bits(bits, on: day, zone, taken: taken, earliest: earliest)
            if !left.isEmpty { open[day] = left }
        }
        return PublicCalendar(
            instructor: instructor, zone: zone, today: today, first: first, last: last,
            blackouts: blackouts, open: open)
    }

    /// The days that are asked for, or the next thirty.
    static func range(_ start: CalendarDay?, _ end: CalendarDay?, today: CalendarDay) throws
        -> (CalendarDay, CalendarDay)
    {
        let first = start ?? today
        let last = end ?? first.adding(days: defaultDays - 1)
        guard last >= first, last < first.adding(days: longestDays) else {
            throw Failure.invalid([
                .init("end_date", "must be from start_date (\(first)) to \(longestDays - 1) days after it")
            ])
        }
        return (first, last)
    }

    /// Whether nothing else can take place during a lesson, which is `b`.
    static let keepsTime: SQL =
        "b.booking_end_utc > b.booking_start_utc AND b.status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW')"

    /// Lessons that keep their time, each with the buffer on both sides.
    private static func taken(
        _ id: ULID, _ span: Range<Instant>, _ instructor: InstructorRules, _ db: Snapshot
    ) throws -> [Range<Instant>] {
        let rows = try db.rows(
            """
            SELECT b.booking_start_utc, b.booking_end_utc FROM bookings b WHERE b.instructor_id = \(id)
            AND b.booking_start_utc >= \(span.lowerBound - instructor.buffer - longestLesson)
            AND b.booking_start_utc < \(span.upperBound + instructor.buffer) AND \(keepsTime)
            """)
        return try rows.map { row in instructor.widened(try row.get(at: 0)..<row.get(at: 1)) }
    }

    /// The first time on the start grid at which a lesson of so many minutes fits.
    package func next(minutes: Int) -> (day: CalendarDay, window: DayWindow)? {
        for day in open.keys.sorted() {
            for window in open[day]?.windows ?? [] {
                let grid = DayBits.startGridMinutes
                let start = (window.startMinute + grid - 1) / grid * grid
                if start + minutes <= window.endMinute {
                    return (day, DayWindow(startMinute: start, endMinute: start + minutes))
                }
            }
        }
        return nil
    }
}
