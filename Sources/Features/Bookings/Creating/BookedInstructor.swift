package import Kernel
package import Storage

/// What a booking asks of an instructor, whether they are live or not.
struct BookedInstructor: RowDecodable, Sendable {
    /// The user's id.
    var id: ULID
    var profileID: ULID
    var zone: LocalZone
    var isActive: Bool
    /// Went live with a background check that was passed.
    var isVerified: Bool
    /// Gave the profile up.
    var isClosed: Bool
    /// A lesson is booked at least so long before it begins.
    var advance: Duration
    /// Kept free before and after every lesson.
    var buffer: Duration

    init(row: Row) throws {
        id = try row.get(at: 0)
        profileID = try row.get(at: 1)
        zone = LocalZone(try row.get(at: 2, as: String.self))
        isActive = try row.get(at: 3, as: AccountStatus.self) == .active
        let status = try row.get(at: 4, as: BackgroundCheckStatus?.self)
        isVerified = try row.get(at: 5, as: Bool.self) && status == .passed
        isClosed = try row.get(at: 6, as: Instant?.self) != nil
        advance = .seconds(3_600 * (try row.get(at: 7, as: Int.self)))
        buffer = .seconds(60 * (try row.get(at: 8, as: Int.self)))
    }

    static func find(_ user: ULID, _ db: Snapshot) throws -> BookedInstructor? {
        try db.one(
            """
            SELECT u.id, p.id, u.timezone, u.account_status, p.bgc_status, p.is_live, p.closed_at, \
            p.min_advance_booking_hours, p.buffer_time_minutes
            FROM users u JOIN instructor_profiles p ON p.user_id = u.id
            WHERE u.id = \(user) AND u.deleted_at IS NULL
            """)
    }
}

extension InstructorService {
    package static func find(_ id: ULID, _ db: Snapshot) throws -> InstructorService? {
        try db.one("SELECT \(columns) FROM instructor_services WHERE id = \(id)")
    }
}

extension Booking {
    /// No lesson is longer, so none that began earlier can reach into a time.
    private static let longestLesson = Duration.seconds(86_400)

    /// Whose lesson, of those that keep their time, a new one would get in the way of:
    /// the instructor's with the buffer on both sides, or the student's as it is.
    ///
    /// - Parameter except: a booking that the new one takes the place of, or is.
    package static func conflict(
        instructor: ULID, buffer: Duration, student: ULID, _ span: Range<Instant>, except: ULID?,
        _ db: Snapshot
    ) throws -> ConflictScope? {
        func isTaken(_ person: SQL, _ span: Range<Instant>) throws -> Bool {
            var sql: SQL = """
                SELECT 1 FROM bookings WHERE \(person) AND status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW')
                AND booking_start_utc < \(span.upperBound) AND booking_end_utc > \(span.lowerBound)
                AND booking_start_utc > \(span.lowerBound - longestLesson)
                """
            if let except { sql += " AND id <> \(except)" }
            return try db.value(sql + " LIMIT 1", as: Int.self) != nil
        }
        let widened = span.lowerBound - buffer..<span.upperBound + buffer
        if try isTaken("instructor_id = \(instructor)", widened) { return .instructor }
        return try isTaken("student_id = \(student)", span) ? .student : nil
    }
}
