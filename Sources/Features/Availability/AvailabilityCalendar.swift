import Crypto
import JSON
package import Kernel
package import Storage

/// One instructor's days, as a transaction that holds their lock sees them.
///
/// ``lock(_:_:_:)`` comes first in everything that changes availability: of two
/// who change the same calendar the second waits, and reads what the first wrote.
/// Bookings hold times of their own; no change here touches one.
package struct AvailabilityCalendar: Sendable {
    package let instructor: ULID
    package let zone: LocalZone
    package let today: CalendarDay
    let policy: PastPolicy

    package static func lock(_ instructor: ULID, _ tx: Transaction, _ context: Context) throws
        -> AvailabilityCalendar
    {
        try tx.run(
            """
            INSERT INTO availability_calendars (instructor_id, revision, updated_at)
            VALUES (\(instructor), 1, \(context.now)) ON CONFLICT (instructor_id) DO UPDATE
            SET revision = availability_calendars.revision + 1, updated_at = excluded.updated_at
            """)
        let zone = try zone(of: instructor, tx)
        return AvailabilityCalendar(
            instructor: instructor, zone: zone, today: zone.day(context.now),
            policy: PastPolicy(context.configuration))
    }

    package static func zone(of instructor: ULID, _ db: Snapshot) throws -> LocalZone {
        LocalZone(
            try db.value("SELECT timezone FROM users WHERE id = \(instructor)", as: String?.self) ?? nil)
    }

    /// The days of `[first, last]` on which something is available.
    package static func days(
        _ instructor: ULID, from first: CalendarDay, through last: CalendarDay, _ db: Snapshot
    ) throws -> [CalendarDay: DayBits] {
        var days: [CalendarDay: DayBits] = [:]
        let rows = try db.rows(
            """
            SELECT day_date, bits FROM availability_days WHERE instructor_id = \(instructor)
            AND day_date >= \(first) AND day_date <= \(last)
            """)
        for row in rows { days[try row.get(at: 0)] = try row.get(at: 1, as: DayBits.self) }
        return days
    }

    package func days(from first: CalendarDay, through last: CalendarDay, _ tx: Transaction) throws
        -> [CalendarDay: DayBits]
    {
        try Self.days(instructor, from: first, through: last, tx)
    }

    /// Writes the days that differ and says so in the audit log.
    /// - Returns: how many days changed.
    @discardableResult
    package func store(
        _ days: [CalendarDay: DayBits], over old: [CalendarDay: DayBits], _ tx: Transaction,
        _ context: Context
    ) throws -> Int {
        let changed = days.keys.filter { days[$0] ?? DayBits() != old[$0] ?? DayBits() }.sorted()
        guard !changed.isEmpty else { return 0 }
        let empty = changed.filter { days[$0]?.isEmpty ?? true }
        if !empty.isEmpty {
            try tx.run(
                """
                DELETE FROM availability_days WHERE instructor_id = \(instructor)
                AND day_date \(in: empty.map(\.description))
                """)
        }
        let rows: [SQL] = changed.filter { !(days[$0]?.isEmpty ?? true) }.map {
            "(\(instructor), \($0), \(days[$0] ?? DayBits()), \(context.now))"
        }
        try tx.runMany(
            SQL.inserts(
                "INSERT INTO availability_days (instructor_id, day_date, bits, updated_at) VALUES", rows,
                """
                 ON CONFLICT (instructor_id, day_date) DO UPDATE
                SET bits = excluded.bits, updated_at = excluded.updated_at
                """))
        try tx.audit(
            "availability.update", Subject("availability", instructor.description),
            changes: Self.changes(changed, old, days))
        return changed.count
    }

    /// As many days as an entry has room for; of more, how many there are.
    private static let auditedDays = 14

    private static func changes(
        _ changed: [CalendarDay], _ old: [CalendarDay: DayBits], _ new: [CalendarDay: DayBits]
    ) -> JSONObject {
        func text(_ bits: DayBits?) -> JSONValue {
            .array(
                (bits?.windows ?? []).map {
                    .string("\(ClockTime(minute: $0.startMinute))-\(ClockTime(minute: $0.endMinute))")
                })
        }
        guard changed.count <= auditedDays else {
            return ["days": ["old": .null, "new": .int(changed.count)]]
        }
        return changed.reduce(into: [:]) {
            $0[$1.description] = ["old": text(old[$1]), "new": text(new[$1])]
        }
    }
}

/// Whether days that are over may still be changed (settings
/// `AVAILABILITY_ALLOW_PAST`, `PAST_EDIT_WINDOW_DAYS`).
package struct PastPolicy: Sendable {
    package var isAllowed: Bool
    /// How many days back; 0 for any.
    package var days: Int

    package init(isAllowed: Bool, days: Int) { (self.isAllowed, self.days) = (isAllowed, days) }

    init(_ configuration: Configuration) {
        self.init(
            isAllowed: configuration.availabilityAllowPast == "true", days: configuration.pastEditWindowDays)
    }

    package func allows(_ day: CalendarDay, today: CalendarDay) -> Bool {
        day >= today || isAllowed && (days == 0 || day >= today.adding(days: -days))
    }
}

/// The name of a state of some days: SHA-256 over their bits, in hexadecimal.
func availabilityVersion(_ days: [DayBits?]) -> String {
    var hash = SHA256()
    for bits in days { hash.update(data: (bits ?? DayBits()).bytes) }
    return Secrets.hex(Array(hash.finalize()))
}
