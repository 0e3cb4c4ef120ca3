import JSON
import Kernel
import Storage

// What we have and the provider does not, and what was put right.
extension Reconciliation {
    /// Rows of ours that are read at a time.
    private static let rows = 500

    func compareOurs() async throws {
        try await ourPayments()
        try await ourMovements()
        try await ourEvents()
    }

    /// Reads rows of ours in the order of their ids, and passes on those that the provider
    /// did not list.
    private func unlisted<Value: Sendable>(
        _ rows: @escaping @Sendable (_ after: ULID, _ db: Snapshot) throws -> [(id: ULID, row: Value)],
        _ name: (Value) -> String, _ body: (Value) async throws -> Void
    ) async throws {
        var after = ULID.first(at: run.since)
        while true {
            try Task.checkCancellation()
            let place = after
            let page = try await database.read { try rows(place, $0) }
            for (_, row) in page where !wasSeen(name(row)) { try await body(row) }
            guard page.count == Self.rows, let last = page.last else { return }
            after = last.id
        }
    }

    private var end: ULID { ULID.first(at: run.until) }

    private struct Moved: Sendable {
        var reference: String
        var booking: ULID?
        var cents: Int
        var kind: MovementKind
    }

    private func ourPayments() async throws {
        let end = end
        try await unlisted(
            { after, db in
                try db.rows(
                    """
                    SELECT id, stripe_payment_intent_id, booking_id, amount FROM payment_intents
                    WHERE id > \(after) AND id < \(end) AND status <> 'requires_payment_method'
                    ORDER BY id LIMIT \(Self.rows)
                    """
                ).map { row in
                    (
                        try row.get(at: 0),
                        Moved(
                            reference: try row.get(at: 1), booking: try row.get(at: 2),
                            cents: try row.get(at: 3),
                            kind: .cardPayment)
                    )
                }
            }, \.reference
        ) { row in
            guard try await retrieve(.paymentIntent, row.reference) == nil else { return }
            try await report(.init(.paymentUnknownThere, row.reference, row.booking, row.cents))
        }
    }

    private func ourMovements() async throws {
        let end = end
        try await unlisted(
            { after, db in
                try db.rows(
                    """
                    SELECT id, reference, booking_id, amount_cents, kind FROM ledger_movements
                    WHERE id > \(after) AND id < \(end) AND reference IS NOT NULL
                    AND kind IN ('card_refund', 'instructor_transfer', 'referral_payout')
                    ORDER BY id LIMIT \(Self.rows)
                    """
                ).map { row in
                    (
                        try row.get(at: 0),
                        Moved(
                            reference: try row.get(at: 1), booking: try row.get(at: 2),
                            cents: try row.get(at: 3),
                            kind: try row.get(at: 4))
                    )
                }
            }, \.reference
        ) { row in
            // A refund made at the provider itself, and a capture's transfer, carry the payment's id.
            let isPayment = row.reference.hasPrefix("pi_")
            let kind: PaymentObject.Kind =
                isPayment ? .paymentIntent : row.kind == .cardRefund ? .refund : .transfer
            guard try await retrieve(kind, row.reference) == nil else { return }
            try await report(
                .init(
                    row.kind == .cardRefund ? .refundUnknownThere : .transferUnknownThere, row.reference,
                    row.booking, row.cents))
        }
    }

    private struct Delivered: Sendable {
        var event: String
        var payload: String
    }

    private func ourEvents() async throws {
        let end = end
        try await unlisted(
            { after, db in
                try db.rows(
                    """
                    SELECT id, event_id, payload FROM webhook_events
                    WHERE source = \(StripeWebhook.name) AND id > \(after) AND id < \(end)
                    AND event_id IS NOT NULL AND replay_of IS NULL ORDER BY id LIMIT \(Self.rows)
                    """
                ).map { row in
                    (try row.get(at: 0), Delivered(event: try row.get(at: 1), payload: try row.get(at: 2)))
                }
            }, \.event
        ) { row in
            // Those of connected accounts are listed there.
            let body = try? JSONValue(parsing: row.payload)
            guard body?["account"]?.stringValue == nil, try await retrieve(.event, row.event) == nil else {
                return
            }
            try await report(
                .init(.eventUnknownThere, row.event, nil, body?["data"]?["object"]?["amount"]?.intValue ?? 0))
        }
    }

    // MARK: Put right

    /// Looks at open differences of earlier runs again; those that are gone are resolved.
    func resolve() async throws {
        var after: ULID?
        var left = Self.recheckLimit
        while left > 0 {
            let place = after
            let page = try await database.read {
                try ReconciliationDifference.open(after: place, limit: Self.page, $0)
            }
            for difference in page where difference.runID != run.id {
                if try await isGone(difference) { try await resolve(difference) }
            }
            guard page.count == Self.page, let last = page.last else { return }
            after = last.id
            left -= page.count
        }
    }

    private func resolve(_ difference: ReconciliationDifference) async throws {
        try await database.transaction(context, category: .automated) { tx, unit in
            try difference.resolve(tx, unit.context)
        }
        countResolved()
    }

    private func isGone(_ difference: ReconciliationDifference) async throws -> Bool {
        let id = difference.object
        switch difference.kind {
        case .eventMissing:
            return try await database.read { db in
                try db.value(
                    """
                    SELECT 1 FROM webhook_events WHERE source = \(StripeWebhook.name) AND event_id = \(id)
                    AND (status = 'processed' OR resolved_by IS NOT NULL)
                    """, as: Int.self) != nil
            }
        case .paymentUnknownHere, .paymentAmount, .capturedAmount, .paymentCanceled:
            guard let theirs = try await retrieve(.paymentIntent, id) else { return false }
            return try await !paymentDifferences([theirs]).contains { $0.finding.kind == difference.kind }
        case .refundedAmount:
            return try await refundedDifference(of: id) == nil
        case .transferredAmount, .reversedAmount:
            guard difference.kind == .transferredAmount else {
                guard let booking = difference.bookingID else { return false }
                return try await reversedDifference(of: booking) == nil
            }
            guard let theirs = try await retrieve(.transfer, id) else { return false }
            return try await !transferDifferences([theirs]).contains { $0.finding.kind == difference.kind }
        case .paymentUnknownThere: return try await retrieve(.paymentIntent, id) != nil
        case .eventUnknownThere: return try await retrieve(.event, id) != nil
        case .payoutUnknownHere, .payoutStatus, .payoutAmount:
            return try await database.read { db in
                let status = try JSONValue(parsing: difference.theirs)["status"]?.stringValue ?? ""
                let amount = try JSONValue(parsing: difference.theirs)["amount_cents"]?.intValue ?? 0
                return try db.value(
                    """
                    SELECT 1 FROM instructor_payout_events WHERE payout_id = \(id) AND status = \(status)
                    AND amount_cents = \(amount)
                    """, as: Int.self) != nil
            }
        case .refundUnknownThere, .transferUnknownThere, .eventDoubled, .eventLate: return false
        }
    }
}

extension Finding {
    fileprivate init(_ kind: DifferenceKind, _ object: String, _ booking: ULID?, _ cents: Int) {
        self.init(
            kind: kind, object: object, booking: booking, cents: cents, ours: ["amount_cents": .int(cents)],
            theirs: [:])
    }
}
