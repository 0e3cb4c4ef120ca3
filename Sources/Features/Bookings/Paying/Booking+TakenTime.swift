import JSON
import Kernel
import Storage

extension Booking {
    /// The bank said yes: the lesson takes place, unless somebody else got the time
    /// while it was asked. Then the booking is cancelled and the money let go.
    mutating func confirmPaid(_ tx: Transaction, _ context: Context) throws {
        do { try confirm(tx, context) } catch let failure as Failure where failure.isTakenTime {
            try move(to: .cancelled, reason: "The time was taken while the card was checked", tx, context)
            try MoneyPlan.start(.studentCancelFree, [.init(.cancel, "cancel_\(id)")], &self, tx, context)
            try tx.notify(
                user: studentID, category: .lessonUpdates, type: "booking.time_taken",
                title: "Somebody else was faster",
                body: "\(serviceName) was booked by somebody else. Your card is not charged.",
                key: outboxKey("booking.time_taken"), data: ["booking_id": .string(id.description)])
        }
    }
}

extension Failure {
    /// A refusal of ``ConflictScope``.
    fileprivate var isTakenTime: Bool { details["conflict_scope"] != nil }
}
