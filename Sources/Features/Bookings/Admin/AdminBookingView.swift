import JSON
import Kernel
import Storage

/// A booking in an administrator's list. People are named as others see them.
struct AdminBookingRow: Codable, Sendable {
    var id: ULID
    var status: BookingStatus
    var paymentStatus: PaymentStatus?
    var settlementOutcome: SettlementOutcome?
    var studentID: ULID
    var studentName: String
    var instructorID: ULID
    var instructorName: String
    var serviceName: String
    var bookingDate: CalendarDay?
    var bookingStartUTC: Instant
    var bookingEndUTC: Instant
    var totalPriceCents: Int
    /// In dollars.
    var totalPrice: Double
    /// Somebody has to look: the lesson is over and nobody says how it went, or its payment is under review.
    var needsAction: Bool
    var createdAt: Instant

    init(_ booking: Booking, names: [ULID: String], now: Instant) {
        id = booking.id
        status = booking.status
        paymentStatus = booking.paymentStatus
        settlementOutcome = booking.settlementOutcome
        (studentID, instructorID) = (booking.studentID, booking.instructorID)
        studentName = names[booking.studentID] ?? User.formerName
        instructorName = names[booking.instructorID] ?? User.formerName
        serviceName = booking.serviceName
        bookingDate = booking.date
        (bookingStartUTC, bookingEndUTC) = (booking.start, booking.end)
        totalPriceCents = booking.priceCents
        totalPrice = DollarAmount(cents: booking.priceCents).dollars
        needsAction =
            booking.status == .confirmed && booking.end <= now || booking.paymentStatus == .manualReview
        createdAt = booking.createdAt
    }

    /// What ``needsAction`` says of `bookings b`.
    static func needsAction(_ now: Instant) -> SQL {
        """
        (b.status = 'CONFIRMED' AND b.booking_end_utc <= \(now) OR b.payment_status = 'manual_review')
        """
    }
}

/// One booking with its payment and what happened to it.
struct AdminBookingView: Codable, Sendable {
    struct Payment: Codable, Sendable {
        var paymentIntentID: String?
        var intentStatus: PaymentIntentStatus?
        var lessonPriceCents: Int?
        var studentFeeCents: Int?
        var instructorFeeCents: Int?
        var creditCents: Int?
        var studentPayCents: Int?
        var creditsReservedCents: Int
        var authScheduledFor: Instant?
        var authFailureCount: Int
        var capturedAt: Instant?
        var capturedCents: Int
        /// What lies with the instructor of it.
        var transferredCents: Int
        var refundedCents: Int
        var instructorPayoutCents: Int?
        var studentCreditCents: Int?
        var failedStep: MoneyStepKind?
        var failedReason: String?
        var lockedCents: Int?
        var lockResolution: String?
        /// A plan for it is being carried out.
        var isInProgress: Bool
    }

    struct Event: Codable, Sendable {
        var at: Instant
        var event: String
        var data: RawJSON
    }

    struct Report: Codable, Sendable {
        var type: NoShowType
        var reportedBy: ULID
        var reportedAt: Instant
        var disputedAt: Instant?
        var disputeReason: String?
        var resolvedAt: Instant?
        var resolution: NoShow.Resolution?
        var notes: String?
    }

    var id: ULID
    var status: BookingStatus
    var paymentStatus: PaymentStatus?
    var settlementOutcome: SettlementOutcome?
    var studentID: ULID
    var studentName: String
    var instructorID: ULID
    var instructorName: String
    var serviceName: String
    var bookingDate: CalendarDay?
    var bookingStartUTC: Instant
    var bookingEndUTC: Instant
    var totalPriceCents: Int
    /// In dollars.
    var totalPrice: Double
    var rescheduledFromBookingID: ULID?
    var rescheduledToBookingID: ULID?
    var disputeStatus: String?
    var createdAt: Instant
    var confirmedAt: Instant?
    var completedAt: Instant?
    var cancelledAt: Instant?
    var payment: Payment?
    var noShow: Report?
    /// What happened to the payment, in order; at most ``longestTimeline``.
    var timeline: [Event]

    static let longestTimeline = 200

    /// Five statements.
    static func of(_ id: ULID, _ db: Snapshot) throws -> AdminBookingView {
        guard let booking = try Booking.find(id, db) else { throw Booking.notFound(id) }
        let names = try User.names([booking.studentID, booking.instructorID], db)
        return AdminBookingView(
            id: id, status: booking.status, paymentStatus: booking.paymentStatus,
            settlementOutcome: booking.settlementOutcome, studentID: booking.studentID,
            studentName: names[booking.studentID] ?? User.formerName, instructorID: booking.instructorID,
            instructorName: names[booking.instructorID] ?? User.formerName,
            serviceName: booking.serviceName, bookingDate: booking.date, bookingStartUTC: booking.start,
            bookingEndUTC: booking.end, totalPriceCents: booking.priceCents,
            totalPrice: DollarAmount(cents: booking.priceCents).dollars,
            rescheduledFromBookingID: booking.rescheduledFrom,
            rescheduledToBookingID: booking.rescheduledTo, disputeStatus: booking.disputeStatus,
            createdAt: booking.createdAt, confirmedAt: booking.confirmedAt,
            completedAt: booking.completedAt, cancelledAt: booking.cancelledAt,
            payment: try payment(id, db), noShow: try NoShow.of(id, db).map(Report.init),
            timeline: try timeline(id, db))
    }

    private static func payment(_ id: ULID, _ db: Snapshot) throws -> Payment? {
        guard let found = try BookingPayment.of(id, db) else { return nil }
        let more = try db.rows(
            """
            SELECT i.status, p.instructor_payout_cents, p.student_credit_cents, p.step_error, p.lock_resolution, \
            CASE WHEN EXISTS (SELECT 1 FROM money_plans m WHERE m.booking_id = p.booking_id
            AND m.state = 'running') THEN 1 ELSE 0 END
            FROM booking_payments p
            LEFT JOIN payment_intents i ON i.stripe_payment_intent_id = p.payment_intent_id
            WHERE p.booking_id = \(id)
            """
        ).first
        let price = found.price
        return Payment(
            paymentIntentID: found.intentID,
            intentStatus: try more?.get(at: 0, as: PaymentIntentStatus?.self),
            lessonPriceCents: price?.base, studentFeeCents: price?.studentFee,
            instructorFeeCents: price?.instructorFee, creditCents: price?.credit,
            studentPayCents: price?.studentPay, creditsReservedCents: found.creditsReserved,
            authScheduledFor: found.authScheduledFor, authFailureCount: found.authFailureCount,
            capturedAt: found.capturedAt, capturedCents: found.capturedCents,
            transferredCents: found.transferredCents, refundedCents: found.refundedCents,
            instructorPayoutCents: try more?.get(at: 1, as: Int?.self),
            studentCreditCents: try more?.get(at: 2, as: Int?.self), failedStep: found.failedStep,
            failedReason: try more?.get(at: 3, as: String?.self), lockedCents: found.lockedCents,
            lockResolution: try more?.get(at: 4, as: String?.self),
            isInProgress: try more?.get(at: 5, as: Int.self) == 1)
    }

    private static func timeline(_ id: ULID, _ db: Snapshot) throws -> [Event] {
        let rows = try db.rows(
            """
            SELECT created_at, event_type, event_data FROM payment_events WHERE booking_id = \(id)
            ORDER BY created_at, id LIMIT \(longestTimeline)
            """)
        return try rows.map { row in
            Event(
                at: try row.get(at: 0), event: try row.get(at: 1),
                data: UntrustedText.cleaned(json: try row.get(at: 2, as: String.self)))
        }
    }
}

extension AdminBookingView.Report {
    fileprivate init(_ report: NoShow) {
        self.init(
            type: report.type, reportedBy: report.reportedBy, reportedAt: report.reportedAt,
            disputedAt: report.disputedAt,
            disputeReason: report.disputeReason.map { UntrustedText.cleaned($0) },
            resolvedAt: report.resolvedAt, resolution: report.resolution,
            notes: report.notes.map { UntrustedText.cleaned($0) })
    }
}
