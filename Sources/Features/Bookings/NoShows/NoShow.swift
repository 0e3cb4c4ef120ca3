import JSON
import Kernel
package import Storage

/// Who did not come.
package enum NoShowType: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case instructor, student
}

/// One row of `booking_no_shows`: a report that one of the two did not come, what
/// they say to it, and how it ended (domain specification §2.5).
///
/// Read and written while the booking's row is locked.
package struct NoShow: Sendable, RowDecodable {
    /// For how long after the lesson it may be reported, and after the report disputed.
    static let window = Duration.seconds(24 * 3_600)

    var bookingID: ULID
    var reportedBy: ULID
    var reportedAt: Instant
    var type: NoShowType
    var disputedAt: Instant?
    var disputeReason: String?
    var resolvedAt: Instant?
    var resolution: Resolution?
    var notes: String?
    /// Of the payment, before the report put it under review.
    var previousPaymentStatus: PaymentStatus?

    private static let columns: SQL = """
        n.booking_id, n.reported_by, n.reported_at, n.type, n.disputed_at, n.dispute_reason, n.resolved_at, \
        n.resolution, n.notes, n.previous_payment_status
        """

    package init(row: Row) throws {
        bookingID = try row.get(at: 0)
        reportedBy = try row.get(at: 1)
        reportedAt = try row.get(at: 2)
        type = try row.get(at: 3)
        disputedAt = try row.get(at: 4)
        disputeReason = try row.get(at: 5)
        resolvedAt = try row.get(at: 6)
        resolution = try row.get(at: 7)
        notes = try row.get(at: 8)
        previousPaymentStatus = try row.get(at: 9)
    }

    static func of(_ booking: ULID, _ db: Snapshot) throws -> NoShow? {
        try db.one("SELECT \(columns) FROM booking_no_shows n WHERE n.booking_id = \(booking)")
    }

    func accused(_ booking: Booking) -> ULID {
        type == .instructor ? booking.instructorID : booking.studentID
    }
}

extension NoShow {
    /// Writes a report down. The lesson is NO_SHOW at once, and nothing happens to
    /// its money until the report is resolved.
    ///
    /// - Parameter isLate: an administrator may, after the window as well.
    static func report(
        _ type: NoShowType, on booking: inout Booking, by user: ULID, isLate: Bool = false, _ tx: Transaction,
        _ context: Context
    ) throws {
        let now = context.now
        guard try of(booking.id, tx) == nil else {
            throw Failure(.conflict, "A no-show was reported already.", reason: "no_show_already_reported")
        }
        guard booking.status == .confirmed || booking.status == .completed else {
            throw Failure(
                .conflict, "A booking that is \(booking.status.rawValue) has no no-show.",
                reason: "booking_not_confirmed")
        }
        guard now >= booking.start, isLate || now <= booking.end + window else {
            throw Failure(
                .conflict,
                "A no-show can be reported from \(booking.start) until \(booking.end + window).",
                reason: "no_show_window_closed")
        }
        try booking.requireNoCardDispute()
        try MoneyPlan.requireIdle(booking.id, tx)
        try tx.run(
            """
            INSERT INTO booking_no_shows (booking_id, reported_by, reported_at, type, previous_payment_status)
            VALUES (\(booking.id), \(user), \(now), \(type), \(booking.paymentStatus))
            """)
        try booking.move(to: .noShow, tx, context)
        if booking.paymentStatus != nil {
            try booking.pay(.manualReview, outcome: booking.settlementOutcome, tx, context)
        }
        try tx.note(.noShowReported, booking.id, source: "no_show", ["type": .string(type.rawValue)])
        try tx.audit(
            "booking.no_show_reported", booking.subject,
            changes: changes(from: [:], to: ["no_show_type": .string(type.rawValue)]))
        let accused = type == .instructor ? booking.instructorID : booking.studentID
        try booking.tell(
            accused, "booking.no_show", "A no-show was reported",
            "\(booking.occasion): it was reported that you did not come. You can dispute it within 24 hours.",
            tx)
    }

    /// The one who is said not to have come says otherwise, once and within a day.
    func dispute(_ reason: String, _ booking: Booking, by user: ULID, _ tx: Transaction, _ context: Context)
        throws
    {
        guard user == accused(booking) else {
            throw Failure(
                .forbidden, "Only the one who is said not to have come can dispute it.",
                reason: "no_show_not_accused")
        }
        try requireOpen()
        guard disputedAt == nil else {
            throw Failure(.conflict, "The report is disputed already.", reason: "no_show_already_disputed")
        }
        guard context.now <= reportedAt + Self.window else {
            throw Failure(
                .conflict, "The report could be disputed until \(reportedAt + Self.window).",
                reason: "no_show_dispute_window_closed")
        }
        try tx.run(
            """
            UPDATE booking_no_shows SET disputed_at = \(context.now), dispute_reason = \(reason)
            WHERE booking_id = \(bookingID)
            """)
        try tx.note(.noShowDisputed, bookingID, source: "no_show")
        try tx.audit(
            "booking.no_show_disputed", booking.subject,
            changes: changes(from: ["disputed": false], to: ["disputed": true]))
        try booking.tell(
            reportedBy, "booking.no_show_disputed", "Your report is disputed",
            "\(booking.occasion): your report of a no-show is disputed. Somebody will look at it.", tx)
    }

    func requireOpen() throws {
        guard resolvedAt == nil else {
            throw Failure(.conflict, "The report is resolved already.", reason: "no_show_resolved")
        }
    }
}

extension Booking {
    /// While a card's bank decides about the payment nothing else is done with it.
    func requireNoCardDispute() throws {
        guard disputeID == nil || disputeResolvedAt != nil else {
            throw Failure(
                .conflict, "A card dispute of the payment is open.",
                hint: "Wait until the bank has decided.", reason: "payment_disputed")
        }
    }
}
