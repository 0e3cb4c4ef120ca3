import JSON

/// A schedule in words.
///
/// The texts are of the tools' contract, §3.7, with the zone in which the
/// schedule really runs and with every hour of a list.
package enum ScheduleText {
    /// `every 30 seconds`, `every 5 minutes`, `every 2 hours`; seconds where
    /// nothing larger fits evenly.
    package static func every(seconds: Double) -> String {
        let whole = seconds.rounded()
        if whole != seconds || whole < 60 || whole.remainder(dividingBy: 60) != 0 {
            return "every \(whole == seconds ? String(Int(seconds)) : String(seconds)) seconds"
        }
        let minutes = Int(whole / 60)
        if minutes % 60 != 0 { return minutes == 1 ? "every minute" : "every \(minutes) minutes" }
        return minutes == 60 ? "every hour" : "every \(minutes / 60) hours"
    }

    /// The five fields of a cron line.
    package static func cron(
        minute: String, hour: String, dayOfMonth: String, month: String, dayOfWeek: String,
        zone: String = "UTC"
    ) -> String {
        let fallback = "cron(\(minute) \(hour) \(dayOfMonth) \(month) \(dayOfWeek))"
        guard month == "*" else { return fallback }
        let isDaily = dayOfMonth == "*" && dayOfWeek == "*"
        if isDaily, hour == "*" {
            if minute == "*" { return "every minute" }
            if let step = step(minute) { return step == 1 ? "every minute" : "every \(step) minutes" }
            return number(minute, 0...59).map { "hourly at :\(padded($0))" } ?? fallback
        }
        guard let minuteNumber = number(minute, 0...59) else { return fallback }
        if isDaily, let step = step(hour) {
            return minuteNumber == 0
                ? "every \(step) hours" : "every \(step) hours at :\(padded(minuteNumber))"
        }
        let hours = hour.split(separator: ",").map { number(String($0), 0...23) }
        guard !hours.isEmpty, !hours.contains(nil) else { return fallback }
        let times = hours.compactMap { $0 }.map { "\(padded($0)):\(padded(minuteNumber))" }
        let at = times.joined(separator: ", ") + " " + zone
        if isDaily { return "daily at \(at)" }
        if dayOfMonth == "*" { return weekday(dayOfWeek).map { "\($0) at \(at)" } ?? fallback }
        guard dayOfWeek == "*", let day = number(dayOfMonth, 1...31) else { return fallback }
        return "day \(day) of month at \(at)"
    }

    /// As Celery's workers tell it: seconds, or the text of a schedule
    /// object, `<crontab: 0 3 * * * (m/h/dM/MY/d)>` or `<freq: 30.00 seconds>`.
    static func words(celery schedule: JSONValue, zone: String) -> String {
        if let seconds = schedule.doubleValue { return every(seconds: seconds) }
        guard let text = schedule.stringValue else { return "unknown" }
        let fields = text.split(separator: " ").map(String.init)
        guard text.hasPrefix("<crontab: "), fields.count == 7 else { return text }
        let legend = fields[6].drop { $0 == "(" }.prefix { $0 != ")" }.split(separator: "/").map(String.init)
        guard legend.count == 5 else { return text }
        let values = Dictionary(zip(legend, fields[1...5]), uniquingKeysWith: { first, _ in first })
        guard let minute = values["m"], let hour = values["h"], let day = values["dM"],
            let month = values["MY"], let weekday = values["d"]
        else { return text }
        return cron(
            minute: minute, hour: hour, dayOfMonth: day, month: month, dayOfWeek: weekday, zone: zone)
    }

    private static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    private static func weekday(_ text: String) -> String? {
        if let number = number(text, 0...7) { return weekdays[number] }
        return weekdays.first { text.count >= 3 && $0.lowercased().hasPrefix(text.lowercased()) }
    }

    private static func step(_ text: String) -> Int? {
        text.hasPrefix("*/") ? number(String(text.dropFirst(2)), 1...59) : nil
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
