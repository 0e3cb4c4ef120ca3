package import Kernel
package import Storage

/// A person as the provider knows them: a row of `stripe_customers`.
package enum StripeCustomer {
    package static func find(_ user: ULID, _ db: Snapshot) throws -> String? {
        try db.value("SELECT stripe_customer_id FROM stripe_customers WHERE user_id = \(user)")
    }

    /// The one there is, or a new one, before the transaction that stores it. Made again
    /// it is the same, for the key is that of the person.
    package static func ensure(_ user: ULID, _ db: Reader, _ context: Context) async throws -> String {
        if let known = try await db.read({ try find(user, $0) }) { return known }
        return try await PaymentProvider.required(context, db).ask(
            .createCustomer(user: user), key: "customer_\(user)"
        ).id
    }

    package static func store(_ id: String, of user: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            INSERT INTO stripe_customers (id, user_id, stripe_customer_id, created_at)
            VALUES (\(context.newID()), \(user), \(id), \(context.now)) ON CONFLICT DO NOTHING
            """)
    }
}
