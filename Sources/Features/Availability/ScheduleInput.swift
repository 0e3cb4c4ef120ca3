package import Kernel

/// One window of one day, in the instructor's own time.
package struct ScheduleInput: InputRecord {
    @Input("The day, YYYY-MM-DD.") package var date: CalendarDay
    @Input("When it begins, HH:MM.") package var startTime: ClockTime
    @Input("When it ends, HH:MM; 00:00 and 24:00 are the end of the day.") package var endTime: ClockTime

    package init() {}

    package var window: DayWindow { DayWindow(startTime, endTime) }

    /// The windows by day, each checked against the others of its day.
    /// - Throws: ``Kernel/Failure/invalid(_:hint:)`` with every window that is inverted, overlaps
    ///   another or lies on a day that `isAllowed` refuses.
    static func checked(
        _ schedule: [ScheduleInput], isAllowed: (CalendarDay) -> String? = { _ in nil }
    ) throws -> [CalendarDay: [DayWindow]] {
        var days: [CalendarDay: [DayWindow]] = [:]
        var problems: [Failure.Field] = []
        for (index, item) in schedule.enumerated() {
            let (name, window) = ("schedule[\(index)]", item.window)
            if window.isInverted {
                problems.append(.init(name, "must end after it begins"))
            } else if let clash = days[item.date]?.first(where: { $0.overlaps(window) }) {
                let start = ClockTime(minute: clash.startMinute)
                problems.append(.init(name, "overlaps the window of \(item.date) that begins at \(start)"))
            } else if let problem = isAllowed(item.date) {
                problems.append(.init(name, problem))
            }
            days[item.date, default: []].append(window)
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        return days
    }
}
