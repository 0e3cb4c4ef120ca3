import JSON
package import Kernel
package import Storage

/// The values of `payment_intents.status`: the provider's, and what refunds make of them.
package enum PaymentIntentStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case requiresPaymentMethod = "requires_payment_method"
    case requiresConfirmation = "requires_confirmation"
    case requiresAction = "requires_action"
    case processing
    case requiresCapture = "requires_capture"
    case canceled, succeeded
    case partiallyRefunded = "partially_refunded"
    case refunded

    /// How far along its life a payment is; the last four never go back.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    var isFinal: Bool { rank >= PaymentIntentStatus.canceled.rank }
}

/// One row of `payment_intents`.
///
/// Events arrive late, twice and in any order. A state is accepted only if it
/// comes after the stored one in (final rank, provider's time, rank), which is
/// a total order, so every order of arrival ends in the same state.
package struct PaymentIntent: Sendable, RowDecodable {
    package var id: ULID
    package var bookingID: ULID
    package var providerID: String
    package var amount: Int
    package var amountRefunded: Int
    package var status: PaymentIntentStatus
    /// The provider's time of the event that set the status.
    package var statusAt: Instant

    package init(row: Row) throws {
        id = try row.get(at: 0)
        bookingID = try row.get(at: 1)
        providerID = try row.get(at: 2)
        amount = try row.get(at: 3)
        amountRefunded = try row.get(at: 4)
        status = try row.get(at: 5)
        statusAt = try row.get(at: 6)
    }

    package static func lock(provider id: String, _ tx: Transaction) throws -> PaymentIntent? {
        try tx.one(
            """
            SELECT id, booking_id, stripe_payment_intent_id, amount, amount_refunded, status, status_at
            FROM payment_intents WHERE stripe_payment_intent_id = \(id) \(.forUpdate)
            """)
    }

    /// The booking that a payment is of; nothing is locked.
    package static func booking(ofProvider id: String, _ db: Snapshot) throws -> ULID? {
        try db.value("SELECT booking_id FROM payment_intents WHERE stripe_payment_intent_id = \(id)")
    }

    var subject: Subject { Subject("payment", id.description) }

    /// Takes over the provider's state unless a later one is known.
    /// - Returns: whether anything changed.
    func advance(to next: PaymentIntentStatus, at time: Instant, _ tx: Transaction, _ context: Context) throws
        -> Bool
    {
        guard Self.order(next, time) > Self.order(status, statusAt) else { return false }
        try tx.run(
            """
            UPDATE payment_intents SET status = \(next), status_at = \(time), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        guard next != status else { return true }
        let change = changes(
            from: ["status": .string(status.rawValue)], to: ["status": .string(next.rawValue)])
        if let (action, result) = Self.audited(next) {
            try tx.audit(action, subject, changes: change, status: result)
        } else {
            try tx.audit("payment.update", subject, changes: change)
        }
        return true
    }

    /// Takes over how much of the payment went back; never less than is known.
    func refund(total: Int, at time: Instant, _ tx: Transaction, _ context: Context) throws {
        guard total > amountRefunded else { return }
        let next: PaymentIntentStatus = total >= amount ? .refunded : .partiallyRefunded
        try tx.run(
            """
            UPDATE payment_intents SET status = \(next), status_at = \(time), amount_refunded = \(total), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        try tx.audit(
            "payment.refund", subject,
            changes: changes(
                from: ["status": .string(status.rawValue), "amount_refunded": .int(amountRefunded)],
                to: ["status": .string(next.rawValue), "amount_refunded": .int(total)]))
    }

    private static func order(_ status: PaymentIntentStatus, _ time: Instant) -> (Int, Instant, Int) {
        (status.isFinal ? status.rank : 0, time, status.rank)
    }

    /// The audit action of a state that is a true authorise or capture outcome.
    private static func audited(_ status: PaymentIntentStatus) -> (String, AuditStatus)? {
        switch status {
        case .requiresCapture: ("payment.authorize", .success)
        case .succeeded: ("payment.capture", .success)
        case .requiresPaymentMethod: ("payment.authorize", .failed)
        default: nil
        }
    }
}

let paymentMigration = Migration("0102_payments") { dialect in
    [
        """
        CREATE TABLE payment_intents (
            id \(.id) PRIMARY KEY, booking_id \(.id) NOT NULL REFERENCES bookings (id),
            stripe_payment_intent_id TEXT NOT NULL UNIQUE, amount BIGINT NOT NULL CHECK (amount >= 0),
            application_fee BIGINT NOT NULL DEFAULT 0, amount_refunded BIGINT NOT NULL DEFAULT 0,
            status TEXT NOT NULL CHECK (status IN ('requires_payment_method', 'requires_confirmation',
                'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled',
                'partially_refunded', 'refunded')),
            status_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            CHECK (amount_refunded >= 0 AND amount_refunded <= amount))
        """,
        "CREATE INDEX payment_intents_booking ON payment_intents (booking_id)",
        """
        CREATE TABLE payment_events (
            id \(.id) PRIMARY KEY, booking_id \(.id) NOT NULL REFERENCES bookings (id), event_type TEXT NOT NULL,
            event_data TEXT NOT NULL, source_event TEXT NOT NULL, created_at BIGINT NOT NULL,
            UNIQUE (booking_id, event_type, source_event))
        """,
        """
        CREATE TABLE stripe_connected_accounts (
            id \(.id) PRIMARY KEY, instructor_profile_id \(.id) NOT NULL UNIQUE, \
            stripe_account_id TEXT NOT NULL UNIQUE,
            onboarding_completed \(.bool) NOT NULL, deauthorized_at BIGINT, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE instructor_payout_events (
            id \(.id) PRIMARY KEY, instructor_profile_id \(.id) NOT NULL, stripe_account_id TEXT NOT NULL,
            payout_id TEXT NOT NULL, amount_cents BIGINT, status TEXT NOT NULL, arrival_date BIGINT,
            failure_code TEXT, failure_message TEXT, created_at BIGINT NOT NULL, UNIQUE (payout_id, status))
        """,
    ] + Migration.appendOnly("payment_events", dialect)
}
