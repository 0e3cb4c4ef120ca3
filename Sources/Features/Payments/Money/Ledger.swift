import JSON
package import Kernel
package import Storage

/// The accounts of the money ledger.
package enum LedgerAccount: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    /// What students owe for lessons.
    case studentReceivable = "student_receivable"
    /// What the platform earned.
    case platformFee = "platform_fee"
    /// What instructors are owed.
    case instructorPayable = "instructor_payable"
    /// Credits that students may still spend.
    case creditsLiability = "credits_liability"
    /// Money given back, until it is known whose it was.
    case refunds
    /// Money that a card's bank took back while a dispute is open.
    case disputes
    /// What lies with the provider.
    case providerClearing = "provider_clearing"
    /// Credits and rewards that the platform gave away, less those that lapsed.
    case promotions
    /// What the platform paid for others and will not get back.
    case losses
}

/// Why money moves from one account to another. Each kind has its two accounts.
package enum MovementKind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    // A lesson is charged: its price and the student's fee.
    case instructorShare = "instructor_share"
    case instructorFee = "instructor_fee"
    case studentFee = "student_fee"
    case cardPayment = "card_payment"
    case creditApplied = "credit_applied"
    // Between the platform and an instructor's account.
    case instructorTransfer = "instructor_transfer"
    case transferReversal = "transfer_reversal"
    // A card gets money back; from whose share it came.
    case cardRefund = "card_refund"
    case refundOfShare = "refund_of_share"
    case refundOfFee = "refund_of_fee"
    case creditReinstated = "credit_reinstated"
    // A credit instead of money.
    case creditFromShare = "credit_from_share"
    case creditFromFee = "credit_from_fee"
    case creditGranted = "credit_granted"
    case creditLapsed = "credit_lapsed"
    // A card's bank takes money back, gives it back, or keeps it.
    case disputeWithdrawal = "dispute_withdrawal"
    case disputeReturn = "dispute_return"
    case disputeOfShare = "dispute_of_share"
    case disputeOfFee = "dispute_of_fee"
    case creditOwed = "credit_owed"
    case creditOwedCleared = "credit_owed_cleared"
    // At the platform's expense.
    case referralPayout = "referral_payout"
    case shareWithoutCharge = "share_without_charge"

    /// From where to where: the debited and the credited account.
    package var accounts: (debit: LedgerAccount, credit: LedgerAccount) {
        switch self {
        case .instructorShare: (.studentReceivable, .instructorPayable)
        case .instructorFee, .studentFee: (.studentReceivable, .platformFee)
        case .cardPayment: (.providerClearing, .studentReceivable)
        case .creditApplied: (.creditsLiability, .studentReceivable)
        case .instructorTransfer: (.instructorPayable, .providerClearing)
        case .transferReversal: (.providerClearing, .instructorPayable)
        case .cardRefund: (.refunds, .providerClearing)
        case .refundOfShare: (.instructorPayable, .refunds)
        case .refundOfFee: (.platformFee, .refunds)
        case .creditReinstated: (.refunds, .creditsLiability)
        case .creditFromShare: (.instructorPayable, .creditsLiability)
        case .creditFromFee: (.platformFee, .creditsLiability)
        case .creditGranted: (.promotions, .creditsLiability)
        case .creditLapsed: (.creditsLiability, .promotions)
        case .disputeWithdrawal: (.disputes, .providerClearing)
        case .disputeReturn: (.providerClearing, .disputes)
        case .disputeOfShare: (.instructorPayable, .disputes)
        case .disputeOfFee: (.platformFee, .disputes)
        case .creditOwed: (.studentReceivable, .promotions)
        case .creditOwedCleared: (.promotions, .studentReceivable)
        case .referralPayout: (.promotions, .providerClearing)
        case .shareWithoutCharge: (.losses, .instructorPayable)
        }
    }
}

/// The money ledger: every cent that moves, from one account to another.
///
/// A row is one movement, so it takes from one account exactly what it gives to
/// another, and the sum over all accounts is zero whatever is written: the shape
/// of the table enforces it. Rows are never changed; a mistake is mended by another
/// movement. `ledger_lines` shows each as its two lines
/// (`Docs/decisions/0011-money-moves-between-two-accounts.md`).
package enum Ledger {
    /// One movement; of zero cents, none.
    package struct Movement: Sendable, Hashable {
        package var kind: MovementKind
        package var cents: Int
        package init(_ kind: MovementKind, _ cents: Int) { (self.kind, self.cents) = (kind, cents) }
    }

    /// Whose money it is.
    package struct Parties: Sendable, Hashable {
        package var booking: ULID?
        package var student: ULID?
        package var instructor: ULID?

        package init(booking: ULID? = nil, student: ULID? = nil, instructor: ULID? = nil) {
            self.booking = booking
            self.student = student
            self.instructor = instructor
        }

        package init(_ booking: Booking) {
            self.init(booking: booking.id, student: booking.studentID, instructor: booking.instructorID)
        }
    }

    /// Writes movements of one event, in the transaction of the event.
    ///
    /// - Parameters:
    ///   - key: the event's name, the same whenever it is told again: with it each
    ///     kind is written once.
    ///   - reference: the provider's id of what moved.
    /// - Throws: ``Kernel/Failure/Code/internal`` for an amount below zero: a fault of ours.
    package static func post(
        _ movements: [Movement], _ parties: Parties, key: String, reference: String? = nil, _ tx: Transaction,
        _ context: Context
    ) throws {
        let rows: [SQL] = try movements.filter { $0.cents != 0 }.map { movement in
            guard movement.cents > 0 else {
                throw Failure(
                    .internal, "A movement of \(movement.cents) cents (\(movement.kind.rawValue), \(key)).")
            }
            let (debit, credit) = movement.kind.accounts
            return """
                (\(context.newID()), \("\(key)/\(movement.kind.rawValue)"), \(movement.kind), \(debit), \(credit), \
                \(movement.cents), \(parties.booking), \(parties.student), \(parties.instructor), \
                \(reference), \(context.now))
                """
        }
        try tx.runMany(
            SQL.inserts(
                """
                INSERT INTO ledger_movements (id, key, kind, debit, credit, amount_cents, booking_id, student_id, \
                instructor_id, reference, created_at) VALUES
                """, rows, " ON CONFLICT (key) DO NOTHING"))
    }

    /// What the accounts hold of a booking: debits less credits.
    package static func balances(booking: ULID, _ db: Snapshot) throws -> [LedgerAccount: Int] {
        try sums("booking_id = \(booking)", db)
    }

    /// What all accounts hold; the sum is zero.
    package static func trialBalance(_ db: Snapshot) throws -> [LedgerAccount: Int] { try sums("1 = 1", db) }

    private static func sums(_ condition: SQL, _ db: Snapshot) throws -> [LedgerAccount: Int] {
        let rows = try db.rows(
            """
            SELECT account, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_lines WHERE \(condition)
            GROUP BY account
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.get(at: 0), try $0.get(at: 1, as: Int.self)) })
    }

    /// Movements of a booking by kind.
    package static func totals(booking: ULID, _ db: Snapshot) throws -> [MovementKind: Int] {
        let rows = try db.rows(
            """
            SELECT kind, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_movements WHERE booking_id = \(booking)
            GROUP BY kind
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.get(at: 0), try $0.get(at: 1, as: Int.self)) })
    }
}

extension LessonPrice {
    /// A lesson is charged and paid: by card, by credits, or both.
    var charged: [Ledger.Movement] {
        [
            .init(.instructorShare, payout), .init(.instructorFee, instructorFee),
            .init(.studentFee, studentFee), .init(.cardPayment, studentPay), .init(.creditApplied, credit),
        ]
    }
}

extension Ledger {
    /// A credit is given for a lesson: first from what the instructor does not get,
    /// the rest from the platform's fee.
    static func credited(_ cents: Int, unpaidShare: Int) -> [Movement] {
        let share = min(cents, unpaidShare)
        return [.init(.creditFromShare, share), .init(.creditFromFee, cents - share)]
    }
}

let ledgerMigration = Migration("0172_money_ledger") { dialect in
    [
        """
        CREATE TABLE ledger_movements (
            id \(.id) PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            debit TEXT NOT NULL, credit TEXT NOT NULL, amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
            booking_id \(.id), student_id \(.id), instructor_id \(.id), reference TEXT,
            created_at BIGINT NOT NULL, CHECK (debit <> credit),
            CHECK (debit IN (\(accounts)) AND credit IN (\(accounts))))
        """,
        "CREATE INDEX ledger_booking ON ledger_movements (booking_id)",
        "CREATE INDEX ledger_kind ON ledger_movements (kind, created_at)",
        "CREATE INDEX ledger_student ON ledger_movements (student_id, created_at)",
        "CREATE INDEX ledger_instructor ON ledger_movements (instructor_id, kind, created_at)",
        """
        CREATE VIEW ledger_lines AS
        SELECT id, key, kind, debit AS account, amount_cents, booking_id, student_id, instructor_id, reference,
            created_at FROM ledger_movements
        UNION ALL
        SELECT id, key, kind, credit, -amount_cents, booking_id, student_id, instructor_id, reference,
            created_at FROM ledger_movements
        """,
    ] + Migration.appendOnly("ledger_movements", dialect)
}

private let accounts: SQL = """
    'student_receivable', 'platform_fee', 'instructor_payable', 'credits_liability', 'refunds', 'disputes',
    'provider_clearing', 'promotions', 'losses'
    """
