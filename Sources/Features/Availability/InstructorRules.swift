package import Kernel
package import Storage

/// What a live instructor asks of a booking, and what people see of who they are.
package struct InstructorRules: Sendable, RowDecodable {
    package var firstName: String
    package var lastInitial: String
    package var timezone: String
    /// A lesson is booked at least so long before it begins.
    package var advance: Duration
    /// Kept free before and after every lesson.
    package var buffer: Duration

    private static let selection: SQL = """
        SELECT u.first_name, u.last_name, u.timezone, p.min_advance_booking_hours, p.buffer_time_minutes, u.id \
        FROM users u JOIN instructor_profiles p ON p.user_id = u.id \
        WHERE p.is_live AND u.account_status = 'active'
        """

    package init(row: Row) throws {
        firstName = try row.get(at: 0)
        lastInitial = String(try row.get(at: 1, as: String.self).prefix(1))
        timezone = try row.get(at: 2)
        advance = .seconds(3_600 * (try row.get(at: 3, as: Int.self)))
        buffer = .seconds(60 * (try row.get(at: 4, as: Int.self)))
    }

    /// Nil for whoever is not a live instructor with an active account.
    package static func live(_ user: ULID, _ db: Snapshot) throws -> InstructorRules? {
        try db.one(selection + " AND u.id = \(user)")
    }

    /// Of every live instructor with an active account, by user, and their zone.
    static func allLive(_ db: Snapshot) throws -> [ULID: (rules: InstructorRules, zone: LocalZone)] {
        // A zone is read from files, and thousands share one.
        var zones: [String: LocalZone] = [:]
        var found: [ULID: (rules: InstructorRules, zone: LocalZone)] = [:]
        try db.forEachRow(selection) { row in
            let rules = try InstructorRules(row: row)
            let zone = zones[rules.timezone] ?? LocalZone(rules.timezone)
            zones[rules.timezone] = zone
            found[try row.get(at: 5)] = (rules, zone)
        }
        return found
    }

    /// A lesson with the buffer on both sides.
    func widened(_ lesson: Range<Instant>) -> Range<Instant> {
        lesson.lowerBound - buffer..<lesson.upperBound + buffer
    }
}
