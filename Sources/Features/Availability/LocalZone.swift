import Foundation
package import Kernel
package import Storage

/// Local days and times of one zone, to moments and back.
///
/// A time that a change of the clock skips means the same distance after the
/// last moment before the change (02:30 becomes 03:30); one that happens twice
/// means the first. Differences are taken between moments, never between times
/// of a day.
package struct LocalZone: Sendable {
    /// For users who named no zone that is known.
    package static let fallback = "America/New_York"

    package let name: String
    private let zone: TimeZone

    /// - Parameter name: of the IANA database; ``fallback`` is taken when it is unknown.
    package init(_ name: String?) {
        if let name, let zone = TimeZone(identifier: name) {
            (self.name, self.zone) = (name, zone)
        } else {
            self.name = Self.fallback
            zone = TimeZone(identifier: Self.fallback) ?? .gmt
        }
    }

    /// Whether the zone database knows the name.
    package static func knows(_ name: String) -> Bool { TimeZone(identifier: name) != nil }

    private func offset(at second: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }

    /// The moment at which a minute of a day begins; minute 1440 is the next midnight.
    package func instant(_ day: CalendarDay, minute: Int) -> Instant {
        let local = Int64(day.number) * 86_400 + Int64(minute) * 60
        let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
        let candidates = [local - before, local - after].filter { offset(at: $0) == local - $0 }
        return Instant(microseconds: (candidates.min() ?? local - before) * 1_000_000)
    }

    /// The local day of a moment, and the minute of that day.
    package func local(_ instant: Instant) -> (day: CalendarDay, minute: Int) {
        let utc = Self.floor(instant.microseconds, 1_000_000)
        let local = utc + offset(at: utc)
        let day = Self.floor(local, 86_400)
        return (CalendarDay(number: Int(day)), Int(local - day * 86_400) / 60)
    }

    package func day(_ instant: Instant) -> CalendarDay { local(instant).day }

    /// The moments between which a day lies: 23, 24 or 25 hours.
    package func span(_ day: CalendarDay) -> Range<Instant> {
        instant(day, minute: 0)..<instant(day.adding(days: 1), minute: 0)
    }

    /// Whether no change of the clock falls into the day.
    package func isPlain(_ day: CalendarDay) -> Bool {
        let span = span(day)
        return span.upperBound - span.lowerBound == .seconds(86_400)
            && local(span.lowerBound).minute == 0
    }

    /// Whether the clock skips that minute on that day.
    package func skips(_ day: CalendarDay, minute: Int) -> Bool {
        local(instant(day, minute: minute)) != (day, minute)
    }

    private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        (value - ((value % unit) + unit) % unit) / unit
    }
}
