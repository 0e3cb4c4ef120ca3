import JSON
import Kernel
import Storage

/// What came of an administrator's refund.
enum RefundStatus: String, Codable, SchemaDescribing, CaseIterable {
    case succeeded, failed
    /// The provider has not answered yet.
    case pending

    init(_ state: MoneyPlan.State) {
        switch state {
        case .running: self = .pending
        case .done: self = .succeeded
        case .failed: self = .failed
        }
    }
}

/// The answer to an administrator who moves money: what is the case now, never what is hoped for.
struct AdminMoneyView: Codable, Sendable {
    var summary: String
    /// Null when nothing was to be given back.
    var refundStatus: RefundStatus?
    var refundAmountCents: Int?
    /// The provider's id of the refund.
    var refundID: String?
    /// Why the provider refused.
    var refundError: String?
    var planID: ULID?
    var booking: AdminBookingView

    static func of(_ booking: ULID, _ refund: (plan: ULID, cents: Int)?, _ db: Snapshot) throws
        -> AdminMoneyView
    {
        let view = try AdminBookingView.of(booking, db)
        guard let refund, let plan = try MoneyPlan.find(refund.plan, db) else {
            return AdminMoneyView(
                summary: "The booking is \(view.status.rawValue); there was nothing to refund.",
                booking: view)
        }
        let steps = try db.rows(
            """
            SELECT CASE WHEN kind = 'refund' THEN provider_id END, error FROM money_steps
            WHERE plan_id = \(plan.id) ORDER BY position
            """)
        let status = RefundStatus(plan.state)
        let error = try steps.compactMap { try $0.get(at: 1, as: String?.self) }.last
        return AdminMoneyView(
            summary: summary(status, refund.cents, error, view.status), refundStatus: status,
            refundAmountCents: refund.cents,
            refundID: try steps.compactMap { try $0.get(at: 0, as: String?.self) }.last,
            refundError: status == .failed ? error : nil, planID: plan.id, booking: view)
    }

    /// The same after the jobs.
    func again(_ db: Snapshot) throws -> AdminMoneyView {
        try Self.of(booking.id, planID.map { ($0, refundAmountCents ?? 0) }, db)
    }

    private static func summary(
        _ status: RefundStatus, _ cents: Int, _ error: String?, _ booking: BookingStatus
    ) -> String {
        let amount = "$\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
        return switch status {
        case .succeeded: "\(amount) went back to the card; the booking is \(booking.rawValue)."
        case .failed:
            "The refund of \(amount) FAILED (\(error ?? "unknown reason")): nothing went back to the "
                + "card; the payment is under review."
        case .pending:
            "The refund of \(amount) is not done yet: the provider has not answered. Look again later."
        }
    }
}
