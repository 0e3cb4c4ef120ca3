import JSON
import Kernel
import Storage

// Transfers to instructors, and what came back of them.
extension Reconciliation {
    /// What we know of a transfer.
    private struct OurTransfer: Sendable {
        var booking: ULID?
        var cents = 0
        /// Of all transfers of the booking.
        var reversed = 0
    }

    func transferDifferences(_ objects: [PaymentObject]) async throws -> [Suspect] {
        let ids = objects.map(\.id)
        let known = try await database.read { try Self.ourTransfers(ids, $0) }
        var suspects: [Suspect] = []
        for theirs in objects {
            let ours = known[theirs.id] ?? OurTransfer()
            let amount = theirs.amount ?? 0
            if amount != ours.cents {
                suspects.append(
                    Suspect(
                        finding: Finding(
                            kind: .transferredAmount, object: theirs.id,
                            booking: ours.booking ?? theirs.booking,
                            cents: amount - ours.cents, ours: ["amount_cents": .int(ours.cents)],
                            theirs: theirs.shown), source: theirs.id))
            } else if let booking = ours.booking, (theirs.amountReturned ?? 0) != ours.reversed,
                let finding = try await reversedDifference(of: booking)
            {
                suspects.append(Suspect(finding: finding, source: theirs.id))
            }
        }
        return suspects
    }

    private static func ourTransfers(_ ids: [String], _ db: Snapshot) throws -> [String: OurTransfer] {
        // A capture is one movement with the payment's id; other transfers have their own.
        let captures = try db.rows(
            """
            SELECT p.transfer_id, p.booking_id, CAST(COALESCE(SUM(m.amount_cents), 0) AS BIGINT)
            FROM booking_payments p LEFT JOIN ledger_movements m
                ON m.reference = p.payment_intent_id AND m.kind = 'instructor_transfer'
            WHERE p.transfer_id \(in: ids) GROUP BY p.transfer_id, p.booking_id
            """)
        var found: [String: OurTransfer] = [:]
        for row in captures {
            found[try row.get(at: 0)] = OurTransfer(booking: try row.get(at: 1), cents: try row.get(at: 2))
        }
        let others = try db.rows(
            """
            SELECT reference, booking_id, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_movements
            WHERE reference \(in: ids) AND kind IN ('instructor_transfer', 'referral_payout')
            GROUP BY reference, booking_id
            """)
        for row in others {
            found[try row.get(at: 0)] = OurTransfer(booking: try row.get(at: 1), cents: try row.get(at: 2))
        }
        let bookings = found.values.compactMap(\.booking?.description)
        let reversed = try db.rows(
            """
            SELECT booking_id, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_movements
            WHERE booking_id \(in: bookings) AND kind = 'transfer_reversal' GROUP BY booking_id
            """)
        let cents = Dictionary(
            uniqueKeysWithValues: try reversed.map {
                (try $0.get(at: 0, as: ULID.self), try $0.get(at: 1, as: Int.self))
            })
        return found.mapValues { transfer in
            var transfer = transfer
            transfer.reversed = transfer.booking.flatMap { cents[$0] } ?? 0
            return transfer
        }
    }

    /// All transfers of a booking together, for the ledger does not tell of which one money came back.
    func reversedDifference(of booking: ULID) async throws -> Finding? {
        var theirs = 0
        try await pages(.transfer, parent: "booking:\(booking)") { page in
            theirs += page.reduce(0) { $0 + ($1.amountReturned ?? 0) }
        }
        let ours = try await database.read { try Ledger.totals(booking: booking, $0)[.transferReversal] ?? 0 }
        guard theirs != ours else { return nil }
        return Finding(
            kind: .reversedAmount, object: "booking:\(booking)", booking: booking, cents: theirs - ours,
            ours: ["reversed_cents": .int(ours)], theirs: ["reversed_cents": .int(theirs)])
    }
}

extension PaymentObject {
    /// Of a transfer, by its group.
    fileprivate var booking: ULID? {
        guard let parent, parent.hasPrefix("booking:") else { return nil }
        return ULID(String(parent.dropFirst("booking:".count)))
    }
}
