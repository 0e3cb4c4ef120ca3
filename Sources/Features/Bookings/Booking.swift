import JSON
package import Kernel
package import Storage

/// The values of `bookings.status`.
package enum BookingStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case pending = "PENDING", confirmed = "CONFIRMED", completed = "COMPLETED", cancelled = "CANCELLED"
    case noShow = "NO_SHOW", paymentFailed = "PAYMENT_FAILED"

    /// Domain specification §2.1.
    func canBecome(_ next: BookingStatus) -> Bool {
        switch self {
        case .pending: [.confirmed, .completed, .cancelled, .paymentFailed].contains(next)
        case .confirmed: [.completed, .cancelled, .noShow].contains(next)
        case .completed: [.cancelled, .noShow].contains(next)
        case .noShow: [.confirmed, .completed, .cancelled].contains(next)
        case .cancelled, .paymentFailed: false
        }
    }
}

/// One row of `bookings`, as far as webhooks drive it.
package struct Booking: Sendable, RowDecodable {
    package var id: ULID
    package var status: BookingStatus
    package var paymentStatus: String?
    package var disputeID: String?
    package var disputeStatus: String?
    package var disputeCreatedAt: Instant?
    package var disputeResolvedAt: Instant?
    package var settlementOutcome: String?

    private static let columns: SQL = """
        id, status, payment_status, dispute_id, dispute_status, dispute_created_at, dispute_resolved_at, \
        settlement_outcome
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        status = try row.get(at: 1)
        paymentStatus = try row.get(at: 2)
        disputeID = try row.get(at: 3)
        disputeStatus = try row.get(at: 4)
        disputeCreatedAt = try row.get(at: 5)
        disputeResolvedAt = try row.get(at: 6)
        settlementOutcome = try row.get(at: 7)
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> Booking? {
        try tx.one("SELECT \(columns) FROM bookings WHERE id = \(id) \(.forUpdate)")
    }

    /// The only writer of `status`: checks the transition, stamps, audits.
    package func move(to next: BookingStatus, _ tx: Transaction, _ context: Context) throws {
        guard status != next, status.canBecome(next) else { return }
        let stamp: SQL = next == .confirmed ? ", confirmed_at = \(context.now)" : ""
        try tx.run(
            "UPDATE bookings SET status = \(next), updated_at = \(context.now)\(stamp) WHERE id = \(id)")
        try tx.audit(
            "booking.status_change", Subject("booking", id.description),
            changes: changes(
                from: ["status": .string(status.rawValue)], to: ["status": .string(next.rawValue)]))
    }

    /// Takes over a card dispute unless a later one is known. While it is open
    /// nothing automatic touches the payment any more.
    func apply(_ dispute: CardDispute, _ tx: Transaction, _ context: Context) throws {
        if let disputeID, let disputeCreatedAt,
            !CardDispute.isLater(dispute, than: (disputeID, disputeCreatedAt, disputeResolvedAt))
        {
            return
        }
        let payment = dispute.closedAt == nil ? "manual_review" : "settled"
        try tx.run(
            """
            UPDATE bookings SET payment_status = \(payment), settlement_outcome = \(dispute.outcome), \
            dispute_id = \(dispute.id), dispute_status = \(dispute.status), dispute_amount = \(dispute.amount), \
            dispute_created_at = \(dispute.openedAt), dispute_resolved_at = \(dispute.closedAt), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        let old: JSONObject = [
            "payment_status": json(paymentStatus), "settlement_outcome": json(settlementOutcome),
            "dispute_id": json(disputeID), "dispute_status": json(disputeStatus),
        ]
        let new: JSONObject = [
            "payment_status": .string(payment), "settlement_outcome": json(dispute.outcome),
            "dispute_id": .string(dispute.id), "dispute_status": .string(dispute.status),
        ]
        try tx.audit(
            "payment.dispute", Subject("booking", id.description), changes: changes(from: old, to: new))
    }

    /// Counts of the payment pipeline; none goes beyond ``countLimit``.
    package struct PaymentCounts: Sendable {
        /// Confirmed bookings whose payment is to be authorized.
        package var pendingAuthorizations: Int
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
        let row = try db.rows(
            """
            SELECT \(count("payment_status = 'scheduled' AND status = 'CONFIRMED'")),
                \(count("payment_status = 'authorized' AND status = 'COMPLETED'")),
                \(count("payment_status = 'payment_method_required' AND updated_at >= \(now - .seconds(86_400))"))
                + \(count("payment_status = 'manual_review' AND updated_at >= \(now - .seconds(86_400))"))
            """
        ).first
        return PaymentCounts(
            pendingAuthorizations: try row?.get(at: 0) ?? 0, pendingCaptures: try row?.get(at: 1) ?? 0,
            failedToday: try row?.get(at: 2) ?? 0)
    }

    private func json(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
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
