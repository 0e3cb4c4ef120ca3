package import Kernel
package import Storage

/// One row of `blackout_dates`: a day on which nothing can be booked, whatever its windows say.
package struct BlackoutDate: Codable, Sendable, RowDecodable {
    package var id: ULID
    package var date: CalendarDay
    package var reason: String?
    package var createdAt: Instant

    package init(id: ULID, date: CalendarDay, reason: String?, createdAt: Instant) {
        (self.id, self.date, self.reason, self.createdAt) = (id, date, reason, createdAt)
    }

    package init(row: Row) throws {
        id = try row.get(at: 0)
        date = try row.get(at: 1)
        reason = try row.get(at: 2)
        createdAt = try row.get(at: 3)
    }

    /// At most so many ahead for one instructor, so that the list needs no pages.
    static let limit = 1_000

    static func list(_ instructor: ULID, from day: CalendarDay, _ db: Snapshot) throws -> [BlackoutDate] {
        try db.all(
            """
            SELECT id, date, reason, created_at FROM blackout_dates
            WHERE instructor_id = \(instructor) AND date >= \(day) ORDER BY date LIMIT \(limit)
            """)
    }

    /// The blacked-out days of `[first, last]`.
    package static func days(
        _ instructor: ULID, from first: CalendarDay, through last: CalendarDay, _ db: Snapshot
    ) throws -> Set<CalendarDay> {
        Set(
            try db.values(
                """
                SELECT date FROM blackout_dates WHERE instructor_id = \(instructor)
                AND date >= \(first) AND date <= \(last)
                """, as: CalendarDay.self))
    }

    /// - Throws: ``Kernel/Failure/Code/conflict`` when the day is blacked out already.
    func insert(for instructor: ULID, _ tx: Transaction) throws {
        let added = try tx.run(
            """
            INSERT INTO blackout_dates (id, instructor_id, date, reason, created_at)
            VALUES (\(id), \(instructor), \(date), \(reason), \(createdAt)) ON CONFLICT DO NOTHING
            """
        ).affected
        guard added == 1 else {
            throw Failure(.conflict, "\(date) is a blackout date already.", reason: "blackout_exists")
        }
    }

    static func delete(_ id: ULID, of instructor: ULID, _ tx: Transaction) throws -> BlackoutDate {
        let found: BlackoutDate? = try tx.one(
            """
            DELETE FROM blackout_dates WHERE id = \(id) AND instructor_id = \(instructor)
            RETURNING id, date, reason, created_at
            """)
        guard let found else { throw Failure(.notFound, "There is no blackout date with the id \(id).") }
        return found
    }
}
