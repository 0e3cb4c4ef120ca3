import JSON
package import Kernel
package import Storage

/// The values of `bookings.status`.
package enum BookingStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case pending = "PENDING", confirmed = "CONFIRMED", completed = "COMPLETED", cancelled = "CANCELLED"
    case noShow = "NO_SHOW", paymentFailed = "PAYMENT_FAILED"

    /// Domain specification §2.1.
    func canBecome(_ next: BookingStatus) -> Bool {
        switch self {
        case .pending: [.confirmed, .completed, .cancelled, .paymentFailed].contains(next)
        case .confirmed: [.completed, .cancelled, .noShow, .paymentFailed].contains(next)
        case .completed: [.cancelled, .noShow].contains(next)
        case .noShow: [.confirmed, .completed, .cancelled].contains(next)
        case .cancelled, .paymentFailed: false
        }
    }

    /// Whether the lesson keeps its time: nothing else may be booked into it.
    package var keepsTime: Bool { [.confirmed, .completed, .noShow].contains(self) }
}

/// Where a lesson takes place.
package enum LessonLocation: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case studentLocation = "student_location", instructorLocation = "instructor_location"
    case online, neutralLocation = "neutral_location"

    package var isInPerson: Bool { self != .online }
}

/// One row of `bookings`: a lesson, with a snapshot of the service as it was booked.
///
/// Whoever changes a booking or its money locks this row first
/// (``lock(_:_:)``), so of two who do the second sees what the first did.
package struct Booking: Sendable, RowDecodable {
    package var id: ULID
    package var studentID: ULID
    package var instructorID: ULID
    package var serviceID: ULID?
    package var status: BookingStatus
    package var paymentStatus: PaymentStatus?
    package var settlementOutcome: SettlementOutcome?
    /// When the lesson begins and ends; of rows from before, when they were made.
    package var start: Instant
    package var end: Instant
    package var date: CalendarDay?
    package var zone: String?
    package var serviceName: String
    package var hourlyRateCents: Int
    /// The price of the lesson without the student's fee.
    package var priceCents: Int
    package var durationMinutes: Int
    package var location: LessonLocation
    package var hasLockedFunds: Bool
    package var lateRescheduleUsed: Bool
    package var rescheduleCount: Int
    /// When the lesson would have been before it was moved less than a day ahead.
    package var originalLesson: Instant?
    package var rescheduledFrom: ULID?
    package var rescheduledTo: ULID?
    package var disputeID: String?
    package var disputeStatus: String?
    package var disputeCreatedAt: Instant?
    package var disputeResolvedAt: Instant?
    package var createdAt: Instant
    package var updatedAt: Instant
    package var confirmedAt: Instant?
    package var completedAt: Instant?
    package var cancelledAt: Instant?

    package static let columns: SQL = """
        b.id, b.student_id, b.instructor_id, b.instructor_service_id, b.status, b.payment_status, \
        b.settlement_outcome, COALESCE(b.booking_start_utc, b.created_at), \
        COALESCE(b.booking_end_utc, b.booking_start_utc, b.created_at), b.booking_date, b.lesson_timezone, \
        b.service_name, b.hourly_rate_cents, b.total_price_cents, b.duration_minutes, b.location_type, \
        b.has_locked_funds, b.late_reschedule_used, b.reschedule_count, b.original_lesson_datetime, \
        b.rescheduled_from_booking_id, b.rescheduled_to_booking_id, b.dispute_id, b.dispute_status, \
        b.dispute_created_at, b.dispute_resolved_at, b.created_at, b.updated_at, b.confirmed_at, \
        b.completed_at, b.cancelled_at
        """

    /// How many columns that are.
    package static let columnCount = 31

    package init(row: Row) throws {
        id = try row.get(at: 0)
        studentID = try row.get(at: 1)
        instructorID = try row.get(at: 2)
        serviceID = try row.get(at: 3)
        status = try row.get(at: 4)
        paymentStatus = try row.get(at: 5)
        settlementOutcome = try row.get(at: 6)
        start = try row.get(at: 7)
        end = try row.get(at: 8)
        date = try row.get(at: 9)
        zone = try row.get(at: 10)
        serviceName = try row.get(at: 11)
        hourlyRateCents = try row.get(at: 12)
        priceCents = try row.get(at: 13)
        durationMinutes = try row.get(at: 14)
        location = try row.get(at: 15)
        hasLockedFunds = try row.get(at: 16)
        lateRescheduleUsed = try row.get(at: 17)
        rescheduleCount = try row.get(at: 18)
        originalLesson = try row.get(at: 19)
        rescheduledFrom = try row.get(at: 20)
        rescheduledTo = try row.get(at: 21)
        disputeID = try row.get(at: 22)
        disputeStatus = try row.get(at: 23)
        disputeCreatedAt = try row.get(at: 24)
        disputeResolvedAt = try row.get(at: 25)
        createdAt = try row.get(at: 26)
        updatedAt = try row.get(at: 27)
        confirmedAt = try row.get(at: 28)
        completedAt = try row.get(at: 29)
        cancelledAt = try row.get(at: 30)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> Booking? {
        try db.one("SELECT \(columns) FROM bookings b WHERE b.id = \(id)")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> Booking? {
        try tx.one("SELECT \(columns) FROM bookings b WHERE b.id = \(id) \(.forUpdate)")
    }

    package var subject: Subject { Subject("booking", id.description) }

    /// From now until the lesson begins; negative once it has.
    package func remaining(_ now: Instant) -> Duration { start - now }

    /// Whether the row came of a move made less than a day before the lesson: it is
    /// paid for at once, and cancelling it gives no money back.
    package var isGaming: Bool {
        guard let originalLesson else { return false }
        return originalLesson - createdAt < .seconds(86_400)
    }

    package func isParticipant(_ user: ULID) -> Bool { user == studentID || user == instructorID }
}

extension Booking {
    /// Counts of the payment pipeline; none goes beyond ``countLimit``.
    package struct PaymentCounts: Sendable {
        /// Confirmed bookings whose payment is to be authorized.
        package var pendingAuthorizations: Int
        /// Those of them whose lesson begins within a day.
        package var overdueAuthorizations: Int
        /// Completed bookings whose payment is authorized and not captured.
        package var pendingCaptures: Int
        /// Payments that need somebody, changed in the last 24 hours.
        package var failedToday: Int
    }

    private static let countLimit = 10_000

    package static func paymentCounts(_ db: Snapshot, now: Instant) throws -> PaymentCounts {
        func count(_ condition: SQL) -> SQL {
            "(SELECT COUNT(*) FROM (SELECT 1 FROM bookings WHERE \(condition) LIMIT \(countLimit)) AS found)"
        }
        let day = Duration.seconds(86_400)
        let row = try db.rows(
            """
            SELECT \(count("payment_status = 'scheduled' AND status = 'CONFIRMED'")),
                \(count("payment_status = 'scheduled' AND status = 'CONFIRMED' AND booking_start_utc <= \(now + day)")),
                \(count("payment_status = 'authorized' AND status = 'COMPLETED'")),
                \(count("payment_status = 'payment_method_required' AND updated_at >= \(now - day)"))
                + \(count("payment_status = 'manual_review' AND updated_at >= \(now - day)"))
            """
        ).first
        return PaymentCounts(
            pendingAuthorizations: try row?.get(at: 0) ?? 0, overdueAuthorizations: try row?.get(at: 1) ?? 0,
            pendingCaptures: try row?.get(at: 2) ?? 0, failedToday: try row?.get(at: 3) ?? 0)
    }
}

let bookingMigration = Migration("0101_bookings") { _ in
    [
        """
        CREATE TABLE bookings (
            id \(.id) PRIMARY KEY, student_id \(.id) NOT NULL, instructor_id \(.id) NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED', 'NO_SHOW',
                'PAYMENT_FAILED')),
            payment_status TEXT CHECK (payment_status IN ('payment_method_required', 'scheduled', 'authorized',
                'locked', 'manual_review', 'settled')),
            settlement_outcome TEXT, dispute_id TEXT, dispute_status TEXT, dispute_amount BIGINT,
            dispute_created_at BIGINT, dispute_resolved_at BIGINT, confirmed_at BIGINT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        "CREATE INDEX bookings_student ON bookings (student_id)",
        "CREATE INDEX bookings_instructor ON bookings (instructor_id)",
    ]
}

/// For the counts of ``Booking/paymentCounts(_:now:)``.
let bookingPaymentIndex = Migration("0104_booking_payments") { _ in
    [
        """
        CREATE INDEX bookings_payment ON bookings (payment_status, status, updated_at)
        WHERE payment_status IS NOT NULL AND payment_status <> 'settled'
        """
    ]
}
