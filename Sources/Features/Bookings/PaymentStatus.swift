import JSON
import Kernel
import Storage

/// The values of `bookings.payment_status` (domain specification §2.2); null means free or from before.
package enum PaymentStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    /// No card yet, or the last authorization failed.
    case methodRequired = "payment_method_required"
    /// The card is saved and charged a day before the lesson.
    case scheduled
    case authorized
    /// The price was captured and is held because of a late reschedule.
    case locked
    /// A step failed or a dispute is open; nothing automatic touches it.
    case manualReview = "manual_review"
    /// Final; the outcome says how.
    case settled

    func canBecome(_ next: PaymentStatus) -> Bool {
        switch self {
        // A lesson that was moved late begins with the price held in the row before it.
        case .methodRequired, .scheduled: true
        case .authorized: next != .scheduled
        case .locked: [.settled, .manualReview].contains(next)
        case .manualReview: next != .scheduled
        // A refund, a dispute or a no-show opens it again.
        case .settled: [.manualReview, .settled].contains(next)
        }
    }
}

/// How the money of a booking ended (domain specification §1.6).
package enum SettlementOutcome: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case lessonCompletedFullPayout = "lesson_completed_full_payout"
    case studentCancelFree = "student_cancel_gt24_no_charge"
    case studentCancelCredit = "student_cancel_12_24_full_credit"
    case studentCancelSplit = "student_cancel_lt12_split_50_50"
    case lockedCancelCredit = "locked_cancel_ge12_full_credit"
    case lockedCancelSplit = "locked_cancel_lt12_split_50_50"
    case instructorCancel = "instructor_cancel_full_refund"
    case instructorNoShow = "instructor_no_show_full_refund"
    case studentNoShow = "student_no_show_full_payout"
    case disputeLost = "student_wins_dispute_full_refund"
    case disputeWon = "dispute_won"
    case captureFailurePaid = "capture_failure_instructor_paid"
    case captureFailureEscalated = "capture_failure_escalated"
    case adminRefund = "admin_refund"

    /// Outcomes after which nothing is left to give back.
    package var isRefund: Bool {
        [.adminRefund, .instructorCancel, .instructorNoShow, .disputeLost].contains(self)
    }
}
