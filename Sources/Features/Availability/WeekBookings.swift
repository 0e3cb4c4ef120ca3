import Kernel
import Storage

/// A lesson in an instructor's week.
struct BookedSlot: Codable, Sendable {
    var bookingID: ULID
    var date: CalendarDay
    var startTime: ClockTime
    /// On the lesson's own day; a lesson that ends at midnight ends at `24:00:00`.
    var endTime: ClockTime
    var status: String
    var studentFirstName: String?

    var window: DayWindow { DayWindow(startTime, endTime) }

    /// Lessons that keep their time and begin within the days, at most 500; a lesson
    /// that nobody came to keeps it too.
    static func list(
        _ instructor: ULID, from first: CalendarDay, through last: CalendarDay, _ zone: LocalZone,
        _ db: Snapshot
    ) throws -> [BookedSlot] {
        let (start, end) = (zone.span(first).lowerBound, zone.span(last).upperBound)
        let rows = try db.rows(
            """
            SELECT b.id, b.booking_start_utc, b.booking_end_utc, b.status, u.first_name
            FROM bookings b LEFT JOIN users u ON u.id = b.student_id
            WHERE b.instructor_id = \(instructor) AND b.booking_start_utc >= \(start)
            AND b.booking_start_utc < \(end) AND b.status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW')
            ORDER BY b.booking_start_utc LIMIT 500
            """)
        return try rows.map { row in
            let (from, to) = (try row.get(at: 1, as: Instant.self), try row.get(at: 2, as: Instant.self))
            let (local, until) = (zone.local(from), zone.local(to))
            return BookedSlot(
                bookingID: try row.get(at: 0), date: local.day, startTime: ClockTime(minute: local.minute),
                endTime: ClockTime(minute: until.day == local.day ? until.minute : ClockTime.lastMinute),
                status: try row.get(at: 3), studentFirstName: try row.get(at: 4))
        }
    }
}

/// The caller's lessons of one week.
struct ListBookedSlots: Query {
    static let name = "availability_booked_slots"
    static let summary = "Your confirmed and completed lessons of one week."
    static let audience = Audience.holders(.manageAvailability)
    static let route = Route.get("instructors/availability/week/booked-slots")

    @Input("Any day of the week, YYYY-MM-DD; this week when left out.") var startDate: CalendarDay?

    struct Output: Codable, Sendable {
        var weekStart: CalendarDay
        var bookedSlots: [BookedSlot]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, now, startDate) = (try context.userID(), context.now, startDate)
        return try await db.read { db in
            let zone = try AvailabilityCalendar.zone(of: user, db)
            let week = AvailabilityWeek(of: startDate ?? zone.day(now))
            return Output(
                weekStart: week.monday,
                bookedSlots: try BookedSlot.list(user, from: week.monday, through: week.sunday, zone, db))
        }
    }
}

/// Says what a save of a week would do; keeps nothing.
struct ValidateWeek: Command {
    static let name = "availability_week_validate"
    static let summary =
        "What saving these windows would change, and which lessons would lie outside of them."
    static let effect = Effect.additive
    static let action = "availability.week_validate"
    static let audience = Audience.holders(.manageAvailability)
    static let route = Route.post("instructors/availability/week/validate-changes")

    @Input("The week's Monday.") var weekStart: CalendarDay
    @Input("The windows that would replace the week's.", .count(0...300)) var schedule: [ScheduleInput]
    @Input("The version the change was made for.", .length(1...100)) var baseVersion: String?

    struct Output: Codable, Sendable {
        var valid: Bool
        var currentVersion: String
        /// Whether the week was changed since `base_version`.
        var isOutdated: Bool
        var added: [DayView]
        var removed: [DayView]
        /// Lessons outside of the new windows; they stay booked.
        var bookingsOutside: [BookedSlot]
    }

    var isDryRun: Bool { true }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        let zone = try AvailabilityCalendar.zone(of: user, tx)
        let week = try AvailabilityWeek.read(user, of: weekStart, tx)
        let windows = try ScheduleInput.checked(schedule) {
            $0 < week.monday || $0 > week.sunday ? "\($0) is not in the week of \(week.monday)" : nil
        }
        let booked = try BookedSlot.list(user, from: week.monday, through: week.sunday, zone, tx)
        let new = windows.mapValues { DayBits($0) }
        func difference(_ a: [CalendarDay: DayBits], _ b: [CalendarDay: DayBits]) -> [DayView] {
            week.dates.compactMap { day in
                var bits = a[day] ?? DayBits()
                for window in b[day]?.windows ?? [] { bits.set(window, to: false) }
                return bits.isEmpty ? nil : DayView(date: day, windows: bits.windows)
            }
        }
        let isOutdated = baseVersion.map { $0 != week.version } ?? false
        return Output(
            valid: !isOutdated, currentVersion: week.version, isOutdated: isOutdated,
            added: difference(new, week.days), removed: difference(week.days, new),
            bookingsOutside: booked.filter { !(new[$0.date] ?? DayBits()).covers($0.window) })
    }
}
