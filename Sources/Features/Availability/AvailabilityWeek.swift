import JSON
package import Kernel
package import Storage

/// Seven days from a Monday, with the version that a change of them names.
package struct AvailabilityWeek: Sendable {
    package let monday: CalendarDay
    package var days: [CalendarDay: DayBits]

    /// The week that holds `day`.
    package init(of day: CalendarDay, _ days: [CalendarDay: DayBits] = [:]) {
        monday = day.monday
        self.days = days
    }

    package static func read(_ instructor: ULID, of day: CalendarDay, _ db: Snapshot) throws
        -> AvailabilityWeek
    {
        var week = AvailabilityWeek(of: day)
        week.days = try AvailabilityCalendar.days(
            instructor, from: week.monday, through: week.sunday, db)
        return week
    }

    package var sunday: CalendarDay { monday.adding(days: 6) }
    package var dates: [CalendarDay] { (0..<7).map { monday.adding(days: $0) } }
    package var version: String { availabilityVersion(dates.map { days[$0] }) }

    /// Date to windows; a day without any has an empty list.
    package var schedule: [String: [DayWindow]] {
        dates.reduce(into: [:]) { $0[$1.description] = days[$1]?.windows ?? [] }
    }

    /// Refuses a change that was made for another state of the week.
    /// - Parameter expected: a version, or an `If-Match` header's value; nil asks for nothing.
    func require(_ expected: String?) throws {
        guard let expected = expected.map(Self.tag), expected != "*", expected != version else { return }
        throw Failure(
            .conflict,
            "The week of \(monday) was changed in the meantime; its version is \(version) now.",
            hint: "Read the week again, or send override: true.", reason: "version_conflict")
    }

    /// The text of an entity tag (RFC 9110 §8.8.3).
    private static func tag(_ header: String) -> String {
        let text = header.hasPrefix("W/") ? header.dropFirst(2) : header[...]
        return text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
            ? String(text.dropFirst().dropLast()) : String(text)
    }
}

/// A week as clients see it.
package struct WeekView: Codable, Sendable {
    package var weekStart: CalendarDay
    package var weekEnd: CalendarDay
    package var timezone: String
    package var version: String
    /// When the instructor's calendar was last changed.
    package var lastModified: Instant?
    package var schedule: [String: [DayWindow]]
    /// Days that a save changed; nil when it was only read.
    package var changedDays: Int?

    init(_ week: AvailabilityWeek, zone: LocalZone, lastModified: Instant?, changedDays: Int? = nil) {
        weekStart = week.monday
        weekEnd = week.sunday
        timezone = zone.name
        version = week.version
        self.lastModified = lastModified
        schedule = week.schedule
        self.changedDays = changedDays
    }
}
