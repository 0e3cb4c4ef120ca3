import JSON
import Kernel
import Storage

/// Credits that students earn by lessons held: at the fifth and the eleventh of
/// every eleven (domain specification §2.4, §2.6).
enum Milestone {
    static func lessonSettled(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        let cycle = try PricingConfig.current(tx).studentCreditCycle
        _ = try User.lock(booking.studentID, tx)
        let lessons: Int =
            try tx.value(
                """
                SELECT COUNT(*) FROM bookings WHERE student_id = \(booking.studentID) AND status = 'COMPLETED'
                AND payment_status = 'settled'
                """) ?? 0
        guard lessons > 0 else { return }
        let place = lessons % cycle.cycleLen
        let (cents, source): (Int, CreditSource)
        switch place {
        case cycle.mod10: (cents, source) = (cycle.cents10, .milestone5)
        case cycle.mod20: (cents, source) = (cycle.cents20, .milestone11)
        default: return
        }
        let isNew = try Credit.issue(
            cents, to: booking.studentID, source, of: booking.id, reason: "\(lessons) lessons", tx, context)
        guard isNew else { return }
        try Ledger.post(
            [.init(.creditGranted, cents)], .init(booking), key: "\(source.rawValue)_\(booking.id)", tx,
            context)
    }
}
