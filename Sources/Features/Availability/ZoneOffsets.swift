import Foundation
import Synchronization

/// The differences of one zone from UTC, remembered day by day.
///
/// A page of free time asks for some thousand of them, and the zone database takes
/// microseconds for each. No zone changes its clock twice in a day.
final class ZoneOffsets: Sendable {
    private static let known = Mutex<[String: ZoneOffsets]>([:])
    // More than there are; only against names that are made up, such as GMT+01:23.
    private static let maximumZones = 1_000
    private static let maximumDays = 4_096

    private let zone: TimeZone
    /// By days since 1970 in UTC: what holds all day, or nil on a day of change.
    private let days = Mutex<[Int64: Int64?]>([:])

    private init(_ zone: TimeZone) { self.zone = zone }

    /// Nil for a name that the zone database does not know.
    static func named(_ name: String) -> ZoneOffsets? {
        if let found = known.withLock({ $0[name] }) { return found }
        guard let zone = TimeZone(identifier: name) else { return nil }
        let made = ZoneOffsets(zone)
        known.withLock {
            if $0.count >= maximumZones { $0.removeAll() }
            $0[name] = made
        }
        return made
    }

    static let utc = ZoneOffsets(.gmt)

    /// Seconds east of UTC at a second since 1970.
    func offset(at second: Int64) -> Int64 {
        let day = (second - ((second % 86_400) + 86_400) % 86_400) / 86_400
        if let known = days.withLock({ $0[day] }) { return known ?? ask(second) }
        let (start, end) = (ask(day * 86_400), ask((day + 1) * 86_400))
        days.withLock {
            if $0.count >= Self.maximumDays { $0.removeAll() }
            $0[day] = .some(start == end ? start : nil)
        }
        return start == end ? start : ask(second)
    }

    private func ask(_ second: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }
}
