package import Kernel
package import Storage

/// How much time students can still book: windows as ``PublicCalendar`` shows them,
/// for everybody at once.
package enum OpenTime {
    /// Minutes that can be booked in so many days from today on, of each live instructor
    /// who has some. Four statements, whatever their number.
    package static func minutes(inDays count: Int, now: Instant, _ db: Snapshot) throws -> [ULID: Int] {
        let instructors = try InstructorRules.allLive(db)
        // Local days of all zones: none is further than a day from UTC's.
        let utc = LocalZone("UTC").day(now)
        let (first, last) = (utc.adding(days: -1), utc.adding(days: count))
        let blackouts = try blackouts(from: first, through: last, db)
        let taken = try taken(from: first, through: last, db)
        var minutes: [ULID: Int] = [:]
        try db.forEachRow(
            """
            SELECT instructor_id, day_date, bits FROM availability_days
            WHERE day_date >= \(first) AND day_date <= \(last)
            """
        ) { row in
            let (id, day): (ULID, CalendarDay) = (try row.get(at: 0), try row.get(at: 1))
            guard let instructor = instructors[id], blackouts[id]?.contains(day) != true else { return }
            let zone = instructor.zone
            let today = zone.day(now)
            guard day >= today, day < today.adding(days: count) else { return }
            let open = OpenDay.bits(
                try row.get(at: 2), on: day, zone,
                taken: (taken[id] ?? []).map { instructor.rules.widened($0) },
                earliest: now + instructor.rules.advance)
            if !open.isEmpty { minutes[id, default: 0] += open.minutes }
        }
        return minutes
    }

    private static func blackouts(from first: CalendarDay, through last: CalendarDay, _ db: Snapshot) throws
        -> [ULID: Set<CalendarDay>]
    {
        try db.rows(
            "SELECT instructor_id, date FROM blackout_dates WHERE date >= \(first) AND date <= \(last)"
        ).reduce(into: [:]) { try $0[$1.get(at: 0), default: []].insert($1.get(at: 1)) }
    }

    private static func taken(from first: CalendarDay, through last: CalendarDay, _ db: Snapshot) throws
        -> [ULID: [Range<Instant>]]
    {
        let utc = LocalZone("UTC")
        let span = utc.span(first.adding(days: -1)).lowerBound..<utc.span(last.adding(days: 1)).upperBound
        return try db.rows(
            """
            SELECT b.instructor_id, b.booking_start_utc, b.booking_end_utc FROM instructor_profiles p
            JOIN bookings b ON b.instructor_id = p.user_id
            WHERE p.is_live AND \(PublicCalendar.keepsTime) AND b.booking_start_utc >= \(span.lowerBound)
            AND b.booking_start_utc < \(span.upperBound)
            """
        ).reduce(into: [:]) { try $0[$1.get(at: 0), default: []].append($1.get(at: 1)..<$1.get(at: 2)) }
    }
}

extension DayBits {
    /// How long the day's windows are together.
    package var minutes: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } * Self.slotMinutes }
}
