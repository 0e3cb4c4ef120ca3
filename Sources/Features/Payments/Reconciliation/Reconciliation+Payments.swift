import JSON
import Kernel
import Storage

// Payments and refunds.
extension Reconciliation {
    /// What we know of a payment.
    private struct OurPayment: Sendable {
        var booking: ULID
        var amount: Int
        var status: PaymentIntentStatus
        /// By the ledger.
        var captured: Int
    }

    private func ourPayments(_ ids: [String]) async throws -> [String: OurPayment] {
        try await database.read { db in
            let captured = try Self.sums(references: ids, [.cardPayment], db)
            let rows = try db.rows(
                """
                SELECT stripe_payment_intent_id, booking_id, amount, status FROM payment_intents
                WHERE stripe_payment_intent_id \(in: ids)
                """)
            var found: [String: OurPayment] = [:]
            for row in rows {
                let id: String = try row.get(at: 0)
                found[id] = OurPayment(
                    booking: try row.get(at: 1), amount: try row.get(at: 2), status: try row.get(at: 3),
                    captured: captured[id] ?? 0)
            }
            return found
        }
    }

    /// Cents of movements by the provider's id.
    static func sums(references: [String], _ kinds: [MovementKind], _ db: Snapshot) throws -> [String: Int] {
        let rows = try db.rows(
            """
            SELECT reference, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_movements
            WHERE reference \(in: references) AND kind \(in: kinds.map(\.rawValue)) GROUP BY reference
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.get(at: 0, as: String.self), try $0.get(at: 1, as: Int.self))
            })
    }

    func paymentDifferences(_ objects: [PaymentObject]) async throws -> [Suspect] {
        let known = try await ourPayments(objects.map(\.id))
        return objects.compactMap { theirs in
            Self.difference(theirs, known[theirs.id]).map { Suspect(finding: $0, source: theirs.id) }
        }
    }

    private static func difference(_ theirs: PaymentObject, _ ours: OurPayment?) -> Finding? {
        let amount = theirs.amount ?? 0
        let isMoney = ["requires_capture", "succeeded"].contains(theirs.status)
        guard let ours else {
            // One that came to nothing is not stored here.
            guard isMoney else { return nil }
            return Finding(
                kind: .paymentUnknownHere, object: theirs.id,
                booking: theirs.metadata["booking_id"].flatMap { ULID($0) }, cents: amount, ours: [:],
                theirs: theirs.shown)
        }
        func found(_ kind: DifferenceKind, _ cents: Int) -> Finding {
            Finding(
                kind: kind, object: theirs.id, booking: ours.booking, cents: cents,
                ours: [
                    "amount_cents": .int(ours.amount), "captured_cents": .int(ours.captured),
                    "status": .string(ours.status.rawValue),
                ], theirs: theirs.shown)
        }
        let captured = theirs.amountReceived ?? 0
        if amount != ours.amount { return found(.paymentAmount, amount - ours.amount) }
        if captured != ours.captured { return found(.capturedAmount, captured - ours.captured) }
        if theirs.status == "canceled", !ours.status.isFinal { return found(.paymentCanceled, amount) }
        return nil
    }

    /// A refund that we do not know by its id may be one made at the provider itself:
    /// then all refunds of its payment together decide.
    func refundDifferences(_ objects: [PaymentObject]) async throws -> [Suspect] {
        let made = objects.filter { !["failed", "canceled"].contains($0.status) }
        let ids = made.map(\.id)
        let known = try await database.read { try Self.sums(references: ids, [.cardRefund], $0) }
        var suspects: [Suspect] = []
        var asked: Set<String> = []
        for refund in made where known[refund.id] != refund.amount {
            guard let intent = refund.parent, asked.insert(intent).inserted,
                let finding = try await refundedDifference(of: intent)
            else { continue }
            suspects.append(Suspect(finding: finding, source: refund.id))
        }
        return suspects
    }

    func refundedDifference(of intent: String) async throws -> Finding? {
        var theirs = 0
        try await pages(.refund, parent: intent) { page in
            theirs += page.filter { !["failed", "canceled"].contains($0.status) }.reduce(0) {
                $0 + ($1.amount ?? 0)
            }
        }
        let ours: (booking: ULID, cents: Int)? = try await database.read { db in
            guard let booking = try PaymentIntent.booking(ofProvider: intent, db) else { return nil }
            return (booking, try Ledger.totals(booking: booking, db)[.cardRefund] ?? 0)
        }
        // A payment that is not known here is reported itself.
        guard let ours, ours.cents != theirs else { return nil }
        return Finding(
            kind: .refundedAmount, object: intent, booking: ours.booking, cents: theirs - ours.cents,
            ours: ["refunded_cents": .int(ours.cents)], theirs: ["refunded_cents": .int(theirs)])
    }
}

extension PaymentObject {
    /// As a difference shows it: nothing but ids, states and amounts.
    var shown: JSONObject {
        var shown: JSONObject = ["id": .string(id)]
        shown["status"] = status.map { .string($0) }
        shown["amount_cents"] = amount.map { .int($0) }
        shown["captured_cents"] = amountReceived.map { .int($0) }
        shown["returned_cents"] = amountReturned.map { .int($0) }
        shown["created"] = created.map { .string($0.description) }
        return shown
    }
}
