import JSON
package import Kernel
package import Storage

/// One row of `payment_methods`: a card that a student keeps for later lessons.
package struct PaymentMethod: Sendable, RowDecodable {
    package var id: ULID
    package var userID: ULID
    package var stripeID: String
    package var last4: String
    package var brand: String
    package var isDefault: Bool
    package var createdAt: Instant

    package static let columns: SQL =
        "id, user_id, stripe_payment_method_id, last4, brand, is_default, created_at"

    package init(row: Row) throws {
        id = try row.get(at: 0)
        userID = try row.get(at: 1)
        stripeID = try row.get(at: 2)
        last4 = try row.get(at: 3)
        brand = try row.get(at: 4)
        isDefault = try row.get(at: 5)
        createdAt = try row.get(at: 6)
    }

    package var subject: Subject { Subject("payment_method", id.description) }

    /// By the provider's id; nil for somebody else's.
    package static func find(stripe id: String, of user: ULID, _ db: Snapshot) throws -> PaymentMethod? {
        try db.one(
            """
            SELECT \(columns) FROM payment_methods
            WHERE stripe_payment_method_id = \(id) AND user_id = \(user)
            """)
    }

    /// Keeps a card; the first one becomes the default. One that is kept stays as it is.
    package static func keep(_ card: PaymentObject, of user: ULID, _ tx: Transaction, _ context: Context)
        throws
    {
        // Of two first cards at once, one is the default.
        guard try User.lock(user, tx) != nil else { return }
        let id = context.newID()
        let isFirst =
            try tx.value("SELECT 1 FROM payment_methods WHERE user_id = \(user) LIMIT 1", as: Int.self) == nil
        let added = try tx.run(
            """
            INSERT INTO payment_methods (id, user_id, stripe_payment_method_id, last4, brand, is_default, created_at)
            VALUES (\(id), \(user), \(card.id), \(card.last4 ?? "????"), \(card.brand ?? "card"), \(isFirst), \
            \(context.now)) ON CONFLICT (stripe_payment_method_id) DO NOTHING
            """)
        guard added.affected == 1 else { return }
        try tx.audit("payment.method_add", Subject("payment_method", id.description))
    }
}
