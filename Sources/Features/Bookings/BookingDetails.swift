import Kernel
import Storage

/// A booking with what its two people see of it beside the record.
struct BookingDetails: Sendable, RowDecodable {
    var booking: Booking
    var startTime: ClockTime?
    var endTime: ClockTime?
    var instructorZone: String?
    var studentZone: String?
    var serviceArea: String?
    var meetingLocation: String?
    var address: String?
    var latitude: Double?
    var longitude: Double?
    var placeID: String?
    var studentNote: String?
    var instructorNote: String?
    var cancelledBy: ULID?
    var cancellationReason: String?
    var authScheduledFor: Instant?
    var authFailureCount: Int
    /// A plan for its money is being carried out.
    var isPaymentInProgress: Bool

    static let columns: SQL = """
        \(Booking.columns), b.start_time, b.end_time, b.instructor_tz_at_booking, b.student_tz_at_booking, \
        b.service_area, b.meeting_location, b.location_address, b.location_lat, b.location_lng, \
        b.location_place_id, b.student_note, b.instructor_note, b.cancelled_by_id, b.cancellation_reason, \
        p.auth_scheduled_for, COALESCE(p.auth_failure_count, 0), \
        CASE WHEN EXISTS (SELECT 1 FROM money_plans m WHERE m.booking_id = b.id AND m.state = 'running') \
        THEN 1 ELSE 0 END
        """
    static let tables: SQL = "bookings b LEFT JOIN booking_payments p ON p.booking_id = b.id"

    init(row: Row) throws {
        booking = try Booking(row: row)
        let first = Booking.columnCount
        startTime = try row.get(at: first, as: String?.self).flatMap { ClockTime($0) }
        endTime = try row.get(at: first + 1, as: String?.self).flatMap { ClockTime($0) }
        instructorZone = try row.get(at: first + 2)
        studentZone = try row.get(at: first + 3)
        serviceArea = try row.get(at: first + 4)
        meetingLocation = try row.get(at: first + 5)
        address = try row.get(at: first + 6)
        latitude = try row.get(at: first + 7)
        longitude = try row.get(at: first + 8)
        placeID = try row.get(at: first + 9)
        studentNote = try row.get(at: first + 10)
        instructorNote = try row.get(at: first + 11)
        cancelledBy = try row.get(at: first + 12)
        cancellationReason = try row.get(at: first + 13)
        authScheduledFor = try row.get(at: first + 14)
        authFailureCount = try row.get(at: first + 15)
        isPaymentInProgress = try row.get(at: first + 16, as: Int.self) == 1
    }

    static func find(_ id: ULID, _ db: Snapshot) throws -> BookingDetails? {
        try db.one("SELECT \(columns) FROM \(tables) WHERE b.id = \(id)")
    }

    /// A booking in which `user` takes part.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for one they take no part in, exactly as
    ///   for one that does not exist.
    static func find(_ id: ULID, of user: ULID, _ db: Snapshot) throws -> BookingDetails {
        guard let found = try find(id, db), found.booking.isParticipant(user) else {
            throw Booking.notFound(id)
        }
        return found
    }
}
