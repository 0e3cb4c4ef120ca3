import Kernel
import Storage

/// What the money ledger says of some movements: cents by kind.
struct LedgerSums: Sendable, Hashable {
    private var cents: [MovementKind: Int] = [:]

    subscript(kind: MovementKind) -> Int { cents[kind] ?? 0 }

    mutating func add(_ kind: MovementKind, _ amount: Int) { cents[kind, default: 0] += amount }

    /// What the account holds of it: debits less credits.
    func balance(of account: LedgerAccount) -> Int {
        cents.reduce(0) { sum, entry in
            let (debit, credit) = entry.key.accounts
            return sum + (debit == account ? entry.value : 0) - (credit == account ? entry.value : 0)
        }
    }
}

extension LedgerSums {
    /// Lesson prices that were charged, without the students' fees.
    var lessonPrice: Int { self[.instructorShare] + self[.instructorFee] }
    /// What the platform keeps of them.
    var commission: Int { self[.instructorFee] }
    /// What the instructor earned: their share, less what went back to students.
    var earned: Int { paidOut + owed }
    /// What was sent to the instructor's account and did not come back.
    var paidOut: Int { self[.instructorTransfer] - self[.transferReversal] }
    /// What was not sent yet.
    var owed: Int { -balance(of: .instructorPayable) }

    /// What a student's card paid, and what it got back.
    var charged: Int { self[.cardPayment] }
    var refunded: Int { self[.cardRefund] }
    var creditUsed: Int { self[.creditApplied] }
    var creditReceived: Int {
        self[.creditFromShare] + self[.creditFromFee] + self[.creditReinstated] + self[.creditGranted]
    }
    var studentFee: Int { self[.studentFee] }
}

/// Whose movements are meant.
struct LedgerParty: Sendable, Hashable {
    enum Role: Sendable, Hashable { case student, instructor }

    var role: Role
    var user: ULID

    fileprivate var condition: SQL {
        role == .student ? "m.student_id = \(user)" : "m.instructor_id = \(user)"
    }
}

extension LedgerSums {
    /// All movements of somebody.
    static func of(_ party: LedgerParty, _ window: DayRange, _ db: Snapshot) throws -> LedgerSums {
        var sums = LedgerSums()
        let rows = try db.rows(
            """
            SELECT m.kind, CAST(SUM(m.amount_cents) AS BIGINT) FROM ledger_movements m
            WHERE \(party.condition)\(window.condition("m.created_at")) GROUP BY m.kind
            """)
        for row in rows { sums.add(try row.get(at: 0), try row.get(at: 1)) }
        return sums
    }

    /// Movements of somebody's bookings, the newest booking first.
    static func byBooking(
        _ party: LedgerParty, _ window: DayRange, after: ULID?, limit: Int, _ db: Snapshot
    ) throws -> [(booking: ULID, sums: LedgerSums)] {
        let place: SQL = after.map { " AND m.booking_id < \($0)" } ?? ""
        let rows = try db.rows(
            """
            SELECT found.booking_id, m.kind, CAST(SUM(m.amount_cents) AS BIGINT) FROM (
                SELECT DISTINCT m.booking_id FROM ledger_movements m
                WHERE \(party.condition) AND m.booking_id IS NOT NULL\(window.condition("m.created_at"))\(place)
                ORDER BY m.booking_id DESC LIMIT \(limit)) found
            JOIN ledger_movements m ON m.booking_id = found.booking_id
            WHERE \(party.condition)\(window.condition("m.created_at"))
            GROUP BY found.booking_id, m.kind ORDER BY found.booking_id DESC
            """)
        var found: [(booking: ULID, sums: LedgerSums)] = []
        for row in rows {
            let booking: ULID = try row.get(at: 0)
            if found.last?.booking != booking { found.append((booking, LedgerSums())) }
            found[found.count - 1].sums.add(try row.get(at: 1), try row.get(at: 2))
        }
        return found
    }
}
