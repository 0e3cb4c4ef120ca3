import JSON
package import Kernel
package import Storage

/// A call to the provider that is part of a plan.
package enum MoneyStepKind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case authorize, capture, cancel, refund
    /// Takes back the transfer that the capture made, the one that topped it up, or the
    /// one that was paid out later.
    case reverse, reverseTopUp = "reverse_top_up", reversePayout = "reverse_payout"
    /// Pays the instructor from the platform's balance.
    case topUp = "top_up", payout
}

/// What a plan is for; how it goes on and how it ends is in `MoneyPlan+Ending`.
package enum MoneyPlanKind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case authorize, capture
    /// The authorization ran out: a new one, captured at once.
    case recapture
    case studentCancelFree = "student_cancel_free", studentCancelCredit = "student_cancel_credit"
    case studentCancelSplit = "student_cancel_split"
    case instructorCancel = "instructor_cancel", instructorCancelRefund = "instructor_cancel_refund"
    case lock, lockPayout = "lock_payout", lockCredit = "lock_credit", lockSplit = "lock_split"
    case lockRefund = "lock_refund"
    case instructorNoShow = "instructor_no_show", instructorNoShowRefund = "instructor_no_show_refund"
    case studentNoShow = "student_no_show"
    case adminRefund = "admin_refund"
    case escalate
    case disputeReverse = "dispute_reverse", disputeRestore = "dispute_restore"
}

/// Something that is to happen to a booking's money: calls to the provider, one
/// after the other, decided in one transaction and carried out afterwards.
///
/// The calls are rows before the first of them is sent, each with its key, so
/// whoever goes on after a crash knows what may have been sent, asks the provider
/// what became of it, and sends it again with the same key if it was lost. A
/// booking has one running plan at a time.
package struct MoneyPlan: Sendable, RowDecodable {
    package enum State: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
        case running, done, failed
    }

    package var id: ULID
    package var bookingID: ULID
    package var kind: MoneyPlanKind
    package var state: State
    /// How the booking is to be settled, where the kind alone does not say.
    package var outcome: SettlementOutcome?
    package var leasedUntil: Instant?
    package var createdAt: Instant

    static let columns: SQL = "id, booking_id, kind, state, outcome, leased_until, created_at"

    package init(row: Row) throws {
        id = try row.get(at: 0)
        bookingID = try row.get(at: 1)
        kind = try row.get(at: 2)
        state = try row.get(at: 3)
        outcome = try row.get(at: 4)
        leasedUntil = try row.get(at: 5)
        createdAt = try row.get(at: 6)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> MoneyPlan? {
        try db.one("SELECT \(columns) FROM money_plans WHERE id = \(id)")
    }

    /// The plan that is being carried out for a booking.
    package static func running(_ booking: ULID, _ db: Snapshot) throws -> MoneyPlan? {
        try db.one("SELECT \(columns) FROM money_plans WHERE booking_id = \(booking) AND state = 'running'")
    }

    /// The latest plan of a booking.
    package static func latest(_ booking: ULID, _ db: Snapshot) throws -> MoneyPlan? {
        try db.one(
            "SELECT \(columns) FROM money_plans WHERE booking_id = \(booking) ORDER BY id DESC LIMIT 1")
    }

    /// Refuses while another plan of the booking is being carried out.
    package static func requireIdle(_ booking: ULID, _ db: Snapshot) throws {
        guard try running(booking, db) == nil else {
            var failure = Failure(
                .rateLimited, "Operation in progress: the booking's payment is being changed.",
                hint: "Try again in a few seconds.", reason: "operation_in_progress")
            failure.retryAfter = .seconds(2)
            throw failure
        }
    }

    /// A call as it is planned.
    package struct Step: Sendable, Hashable {
        package var kind: MoneyStepKind
        /// What makes it happen once (domain specification §2.5).
        package var key: String
        /// Of a refund or a payout; of the others the booking's payment decides.
        package var cents: Int?
        package init(_ kind: MoneyStepKind, _ key: String, cents: Int? = nil) {
            self.kind = kind
            self.key = key
            self.cents = cents
        }
    }

    /// Writes down a plan for a booking that is locked, and the job that carries it
    /// out. One without calls ends here and now.
    ///
    /// - Parameter runs: whether the job is enqueued; false for whoever carries it out themselves.
    /// - Throws: ``Kernel/Failure/Code/rateLimited`` while another one is being carried out.
    @discardableResult
    package static func start(
        _ kind: MoneyPlanKind, _ steps: [Step], _ booking: inout Booking,
        outcome: SettlementOutcome? = nil, runs: Bool = true, _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        try requireIdle(booking.id, tx)
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO money_plans (id, booking_id, kind, state, outcome, request_id, initiated_by, created_at)
            VALUES (\(id), \(booking.id), \(kind), 'running', \(outcome), \(context.requestID), \
            \(context.actor.isPerson ? context.actor.id : nil), \(context.now))
            """)
        for (index, step) in steps.enumerated() {
            try tx.run(
                """
                INSERT INTO money_steps (plan_id, position, booking_id, kind, key, amount_cents, state)
                VALUES (\(id), \(index), \(booking.id), \(step.kind), \(try unused(step.key, tx)), \(step.cents), \
                'planned')
                """)
        }
        if steps.isEmpty {
            try find(id, tx)?.end(&booking, tx, context)
        } else if runs {
            try tx.enqueue(RunMoneyPlan(plan: id))
        }
        return id
    }

    /// The key, or the key with a number when an earlier call with it was refused: a
    /// provider answers a key that it knows as it did the first time.
    private static func unused(_ key: String, _ tx: Transaction) throws -> String {
        let used: Int =
            try tx.value(
                "SELECT COUNT(*) FROM money_steps WHERE key = \(key) OR key LIKE \(key + "~%")") ?? 0
        return used == 0 ? key : "\(key)~\(used + 1)"
    }

    /// Who is at it: nobody else goes on with it before that time.
    static let lease = Duration.seconds(90)
}

let moneyPlanMigration = Migration("0174_money_plans") { _ in
    [
        """
        CREATE TABLE money_plans (
            id \(.id) PRIMARY KEY, booking_id \(.id) NOT NULL REFERENCES bookings (id), kind TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')), outcome TEXT,
            runner TEXT, leased_until BIGINT,
            request_id TEXT, created_at BIGINT NOT NULL, finished_at BIGINT)
        """,
        "CREATE UNIQUE INDEX money_plans_running ON money_plans (booking_id) WHERE state = 'running'",
        "CREATE INDEX money_plans_booking ON money_plans (booking_id, id)",
        "CREATE INDEX money_plans_open ON money_plans (created_at) WHERE state = 'running'",
        """
        CREATE TABLE money_steps (
            plan_id \(.id) NOT NULL REFERENCES money_plans (id), position INTEGER NOT NULL,
            booking_id \(.id) NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL UNIQUE, amount_cents BIGINT,
            request TEXT, state TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'unknown', 'done', 'failed')),
            provider_id TEXT, error TEXT, attempts INTEGER NOT NULL DEFAULT 0, sent_at BIGINT, finished_at BIGINT,
            PRIMARY KEY (plan_id, position))
        """,
        "CREATE INDEX money_steps_booking ON money_steps (booking_id)",
        "CREATE INDEX money_steps_open ON money_steps (sent_at) WHERE state IN ('sent', 'unknown')",
        """
        CREATE TABLE stripe_customers (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL UNIQUE, stripe_customer_id TEXT NOT NULL UNIQUE,
            created_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE payment_methods (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL, stripe_payment_method_id TEXT NOT NULL UNIQUE,
            last4 TEXT NOT NULL, brand TEXT NOT NULL, is_default \(.bool) NOT NULL, created_at BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX payment_methods_default ON payment_methods (user_id) WHERE is_default",
        "CREATE INDEX payment_methods_user ON payment_methods (user_id)",
        "ALTER TABLE payment_intents ADD COLUMN base_price_cents BIGINT",
        "ALTER TABLE payment_intents ADD COLUMN instructor_tier_pct DOUBLE PRECISION",
        "ALTER TABLE payment_intents ADD COLUMN instructor_payout_cents BIGINT",
    ]
}

/// Who asked for what a job carries out later.
let moneyInitiatorMigration = Migration("0198_money_plan_initiators") { _ in
    ["ALTER TABLE money_plans ADD COLUMN initiated_by TEXT"]
}
