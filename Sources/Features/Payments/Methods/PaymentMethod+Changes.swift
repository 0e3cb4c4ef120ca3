import JSON
package import Kernel
import Storage

extension PaymentMethod {
    static let notFound = Failure(
        .notFound, "There is no payment method with that id.",
        hint: "GET /api/v1/payments/methods lists yours.", reason: "payment_method_not_found")

    /// nil for somebody else's.
    static func find(_ id: ULID, of user: ULID, _ db: Snapshot) throws -> PaymentMethod? {
        try db.one("SELECT \(columns) FROM payment_methods WHERE id = \(id) AND user_id = \(user)")
    }

    /// The default first, then the newest.
    static func list(of user: ULID, limit: Int, _ db: Snapshot) throws -> [PaymentMethod] {
        try db.all(
            """
            SELECT \(columns) FROM payment_methods WHERE user_id = \(user)
            ORDER BY is_default DESC, id DESC LIMIT \(limit)
            """)
    }

    /// Pays for lessons unless told otherwise; the owner's row is locked.
    mutating func makeDefault(_ tx: Transaction) throws {
        guard !isDefault else { return }
        try tx.run("UPDATE payment_methods SET is_default = FALSE WHERE user_id = \(userID) AND is_default")
        try tx.run("UPDATE payment_methods SET is_default = TRUE WHERE id = \(id)")
        isDefault = true
        try tx.audit("payment.method_default", subject)
    }

    /// Takes it away, here at once and at the provider by a job; the newest of the
    /// others becomes the default. One that a lesson to come is paid with stays.
    func remove(_ tx: Transaction, _ context: Context) throws {
        let isUsed =
            try tx.value(
                """
                SELECT 1 FROM bookings b JOIN booking_payments p ON p.booking_id = b.id
                WHERE b.student_id = \(userID) AND b.status = 'CONFIRMED'
                AND b.payment_status IN ('scheduled', 'authorized') AND p.payment_method_id = \(stripeID) LIMIT 1
                """, as: Int.self) != nil
        guard !isUsed else {
            throw Failure(
                .conflict, "A lesson to come is paid with this card.",
                hint: "Give that booking another card first, or cancel it.", reason: "payment_method_in_use")
        }
        try tx.run("DELETE FROM payment_methods WHERE id = \(id)")
        if isDefault {
            try tx.run(
                """
                UPDATE payment_methods SET is_default = TRUE
                WHERE id = (SELECT id FROM payment_methods WHERE user_id = \(userID) ORDER BY id DESC LIMIT 1)
                """)
        }
        try tx.audit("payment.method_remove", subject)
        try tx.enqueue(DetachPaymentMethod(method: stripeID))
    }
}

/// Lets the provider forget a card that its owner removed.
package struct DetachPaymentMethod: Job {
    package static let name = "payments.detach_method"
    package static let queue = Queue.payments
    package static let priority = 3

    package var method: String

    package init(method: String) { self.method = method }

    package var uniqueKey: String? { "detach:\(method)" }

    package func run(_ attempt: JobAttempt) async throws {
        let provider = try PaymentProvider.required(attempt.context, attempt.database)
        // Detached twice is detached: a new key each time, for the card may be attached again later.
        let key = "detach_\(method)_\(attempt.record.id)"
        switch try await provider.send(.detachPaymentMethod(id: method), key) {
        // Refused: it is not attached any more.
        case .done, .refused: return
        case .busy(let wait): try await attempt.settle { _, _ in .snooze(wait) }
        case .unknown(let reason): try await attempt.settle { _, _ in .retry(error: reason) }
        }
    }
}
