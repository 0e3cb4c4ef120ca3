import Kernel
import Storage

/// The caller's windows of one week.
struct ReadWeek: Query {
    static let name = "availability_week_read"
    static let summary = "Your windows of one week, with the version that a change names."
    static let audience = Audience.holders(.manageAvailability)
    static let route = Route.get("instructors/availability/week")

    @Input("Any day of the week, YYYY-MM-DD; this week when left out.") var startDate: CalendarDay?

    func run(_ db: Reader, _ context: Context) async throws -> WeekView {
        let (user, now, startDate) = (try context.userID(), context.now, startDate)
        return try await db.read { db in
            let zone = try AvailabilityCalendar.zone(of: user, db)
            let week = try AvailabilityWeek.read(user, of: startDate ?? zone.day(now), db)
            let modified: Instant? = try db.value(
                "SELECT updated_at FROM availability_calendars WHERE instructor_id = \(user)")
            return WeekView(week, zone: zone, lastModified: modified)
        }
    }

    static func attachments(of output: WeekView) -> Attachments { Attachments(version: output.version) }
}

/// Replaces or adds to a week's windows.
///
/// Of two who saved the same version exactly one succeeds: the calendar is locked
/// before the version is read.
struct SaveWeek: Command {
    static let name = "availability_week_save"
    static let summary = "Replace a week's windows, or add to them, unless the week was changed meanwhile."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.week_save"
    static let route = Route.post("instructors/availability/week")

    @Input("The week's Monday; the week of the first window when left out.") var weekStart: CalendarDay?
    @Input("The windows; they must not overlap.", .count(0...300)) var schedule: [ScheduleInput]
    @Input("Whether the windows replace what the week has; else they are added.") var clearExisting = true
    @Input("Save whatever happened to the week meanwhile.") var override = false
    @Input("The version the change was made for; If-Match says the same.", .length(1...100))
    var baseVersion: String?

    func run(_ tx: Transaction, _ context: Context) throws -> WeekView {
        let user = try context.userID()
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        let first = weekStart ?? schedule.map(\.date).min() ?? calendar.today
        var week = try AvailabilityWeek.read(user, of: first, tx)
        let windows = try checked(week, calendar)
        if !override { try week.require(baseVersion ?? context.ifMatch) }
        let old = week.days
        for day in week.dates where calendar.policy.allows(day, today: calendar.today) {
            var bits = clearExisting ? DayBits() : old[day] ?? DayBits()
            bits.formUnion(DayBits(windows[day] ?? []))
            week.days[day] = bits
        }
        let changed = try calendar.store(week.days, over: old, tx, context)
        return WeekView(week, zone: calendar.zone, lastModified: context.now, changedDays: changed)
    }

    private func checked(_ week: AvailabilityWeek, _ calendar: AvailabilityCalendar) throws
        -> [CalendarDay: [DayWindow]]
    {
        if let weekStart, weekStart != week.monday {
            throw Failure.invalid([.init("week_start", "must be a Monday, such as \(week.monday)")])
        }
        return try ScheduleInput.checked(schedule) { day in
            if day < week.monday || day > week.sunday {
                return "\(day) is not in the week of \(week.monday)"
            }
            return calendar.policy.allows(day, today: calendar.today) ? nil : "\(day) is over"
        }
    }

    static func attachments(of output: WeekView) -> Attachments { Attachments(version: output.version) }
}

/// Copies one week's windows over another's.
struct CopyWeek: Command {
    static let name = "availability_week_copy"
    static let summary = "Copy one week's windows over another week's."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.week_copy"
    static let route = Route.post("instructors/availability/copy-week")

    @Input("Any day of the week to copy.") var fromWeekStart: CalendarDay
    @Input("Any day of the week to write.") var toWeekStart: CalendarDay

    func run(_ tx: Transaction, _ context: Context) throws -> WeekView {
        let user = try context.userID()
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        let source = try AvailabilityWeek.read(user, of: fromWeekStart, tx)
        var target = try AvailabilityWeek.read(user, of: toWeekStart, tx)
        guard source.monday != target.monday else {
            throw Failure.invalid([.init("to_week_start", "is in the week that is copied")])
        }
        guard calendar.policy.allows(target.sunday, today: calendar.today) else {
            throw Failure.invalid([.init("to_week_start", "the week of \(target.monday) is over")])
        }
        let old = target.days
        for (from, to) in zip(source.dates, target.dates)
        where calendar.policy.allows(to, today: calendar.today) {
            target.days[to] = source.days[from] ?? DayBits()
        }
        let changed = try calendar.store(target.days, over: old, tx, context)
        return WeekView(target, zone: calendar.zone, lastModified: context.now, changedDays: changed)
    }

    static func attachments(of output: WeekView) -> Attachments { Attachments(version: output.version) }
}

/// Repeats one week's windows over a stretch of days.
struct ApplyToDateRange: Command {
    static let name = "availability_range_apply"
    static let summary = "Repeat one week's windows on every matching weekday of a range of up to a year."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.range_apply"
    static let route = Route.post("instructors/availability/apply-to-date-range")

    @Input("Any day of the week to repeat.") var fromWeekStart: CalendarDay
    @Input("The first day to write.") var startDate: CalendarDay
    @Input("The last day to write, at most a year after the first.") var endDate: CalendarDay

    static let longest = 366

    struct Output: Codable, Sendable {
        var startDate: CalendarDay
        var endDate: CalendarDay
        /// Days of the range, those that are over and closed apart.
        var daysWritten: Int
        var changedDays: Int
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard endDate >= startDate, endDate < startDate.adding(days: Self.longest) else {
            throw Failure.invalid([
                .init("end_date", "must be from start_date to at most a year after it")
            ])
        }
        let user = try context.userID()
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        let source = try AvailabilityWeek.read(user, of: fromWeekStart, tx)
        let old = try calendar.days(from: startDate, through: endDate, tx)
        var days: [CalendarDay: DayBits] = [:]
        var day = startDate
        while day <= endDate {
            if calendar.policy.allows(day, today: calendar.today) {
                days[day] = source.days[source.monday.adding(days: day.weekday - 1)] ?? DayBits()
            }
            day = day.adding(days: 1)
        }
        let changed = try calendar.store(days, over: old, tx, context)
        return Output(
            startDate: startDate, endDate: endDate, daysWritten: days.count, changedDays: changed)
    }
}
