import Kernel
import Storage

/// How much people are told of an instructor's free time; setting `PUBLIC_AVAILABILITY_DETAIL`.
enum AvailabilityDetail: String, Codable, Sendable, CaseIterable {
    /// Every window.
    case full
    /// Hours per day.
    case summary
    /// Whether there is anything, and when first.
    case minimal
}

/// What students can book of an instructor.
struct PublicAvailability: Query {
    static let name = "public_availability"
    static let summary = "What can be booked of an instructor in the next days."
    static let audience = Audience.anyone
    static let route = Route.get("public/instructors/:id/availability")

    @Input("The instructor's user id.") var id: ULID
    @Input("The first day; today when left out.") var startDate: CalendarDay?
    @Input("The last day, at most 90 days in all; 30 when left out.") var endDate: CalendarDay?

    struct Day: Codable, Sendable {
        var date: CalendarDay
        var isBlackout: Bool
        var availableMinutes: Int
        /// Nil unless the detail is full.
        var availableSlots: [DayWindow]?
    }

    struct Output: Codable, Sendable {
        var instructorID: ULID
        var instructorFirstName: String
        var instructorLastInitial: String
        var timezone: String
        var detailLevel: String
        var startDate: CalendarDay
        var endDate: CalendarDay
        var hasAvailability: Bool
        var earliestAvailableDate: CalendarDay?
        var totalAvailableDays: Int
        /// Nil when the detail is minimal.
        var days: [Day]?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (id, start, end, now) = (id, startDate, endDate, context.now)
        let calendar = try await db.read { db in
            try PublicCalendar.read(id, from: start, through: end, now: now, db)
        }
        let detail = AvailabilityDetail(rawValue: context.configuration.publicAvailabilityDetail) ?? .full
        return Output(
            instructorID: id, instructorFirstName: calendar.instructor.firstName,
            instructorLastInitial: calendar.instructor.lastInitial, timezone: calendar.zone.name,
            detailLevel: detail.rawValue, startDate: calendar.first, endDate: calendar.last,
            hasAvailability: !calendar.open.isEmpty, earliestAvailableDate: calendar.open.keys.min(),
            totalAvailableDays: calendar.open.count,
            days: detail == .minimal ? nil : Self.days(calendar, detail))
    }

    private static func days(_ calendar: PublicCalendar, _ detail: AvailabilityDetail) -> [Day] {
        var days: [Day] = []
        var day = calendar.first
        while day <= calendar.last {
            let windows = calendar.open[day]?.windows ?? []
            days.append(
                Day(
                    date: day, isBlackout: calendar.blackouts.contains(day),
                    availableMinutes: windows.reduce(0) { $0 + $1.endMinute - $1.startMinute },
                    availableSlots: detail == .full ? windows : nil))
            day = day.adding(days: 1)
        }
        return days
    }
}

/// The first time at which a lesson fits.
struct NextAvailable: Query {
    static let name = "public_next_available"
    static let summary = "The first time at which a lesson of a given length can be booked."
    static let audience = Audience.anyone
    static let route = Route.get("public/instructors/:id/next-available")

    @Input("The instructor's user id.") var id: ULID
    @Input("How long the lesson is.", .range(15...720)) var durationMinutes = 60

    struct Output: Codable, Sendable {
        var found: Bool
        var date: CalendarDay?
        var startTime: ClockTime?
        var endTime: ClockTime?
        var startsAt: Instant?
        var durationMinutes: Int
        var timezone: String
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (id, now) = (id, context.now)
        let calendar = try await db.read { db in
            let zone = try AvailabilityCalendar.zone(of: id, db)
            let today = zone.day(now)
            return try PublicCalendar.read(
                id, from: today, through: today.adding(days: PublicCalendar.longestDays - 1), now: now, db)
        }
        let next = calendar.next(minutes: durationMinutes)
        return Output(
            found: next != nil, date: next?.day,
            startTime: next.map { ClockTime(minute: $0.window.startMinute) },
            endTime: next.map { ClockTime(minute: $0.window.endMinute) },
            startsAt: next.map { calendar.zone.instant($0.day, minute: $0.window.startMinute) },
            durationMinutes: durationMinutes, timezone: calendar.zone.name)
    }
}
