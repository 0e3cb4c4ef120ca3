package import Kernel
package import Storage

/// What a live instructor asks of a booking, and what people see of who they are.
package struct InstructorRules: Sendable {
    package var firstName: String
    package var lastInitial: String
    package var timezone: String
    /// A lesson is booked at least so long before it begins.
    package var advance: Duration
    /// Kept free before and after every lesson.
    package var buffer: Duration

    /// Nil for whoever is not a live instructor with an active account.
    package static func live(_ user: ULID, _ db: Snapshot) throws -> InstructorRules? {
        let row = try db.rows(
            """
            SELECT u.first_name, u.last_name, u.timezone, p.min_advance_booking_hours, p.buffer_time_minutes
            FROM users u
            JOIN instructor_profiles p ON p.user_id = u.id
            WHERE u.id = \(user) AND p.is_live AND u.account_status = 'active'
            """
        ).first
        guard let row else { return nil }
        return InstructorRules(
            firstName: try row.get(at: 0), lastInitial: String(try row.get(at: 1, as: String.self).prefix(1)),
            timezone: try row.get(at: 2), advance: .seconds(3_600 * (try row.get(at: 3, as: Int.self))),
            buffer: .seconds(60 * (try row.get(at: 4, as: Int.self))))
    }
}
