import JSON
import Kernel
import Storage

// Events, and the payouts that they tell of.
extension Reconciliation {
    /// From what happened to its arrival, beyond which an event counts as late.
    static let lateness = Duration.seconds(3_600)

    func compareEvents() async throws {
        try await pages(.event, since: run.since) { try await self.compare(events: $0) }
    }

    private func compare(events: [PaymentObject]) async throws {
        let meant = events.filter { StripeWebhook.isOfMoney($0.eventType ?? "") }
        let ids = meant.map(\.id)
        let arrivals = try await database.read { try Self.arrivals(ids, $0) }
        for event in meant {
            if let mark = event.onceMark, isRepeated(mark) { try await report(.init(.eventDoubled, event)) }
            guard let arrival = arrivals[event.id] else {
                try await adopt(event)
                continue
            }
            if let created = event.created, arrival.origin == .delivered,
                arrival.at - created > Self.lateness
            {
                try await report(.init(.eventLate, event, received: arrival.at))
            }
        }
    }

    private struct Arrival: Sendable {
        var at: Instant
        var origin: WebhookOrigin
    }

    private static func arrivals(_ ids: [String], _ db: Snapshot) throws -> [String: Arrival] {
        let rows = try db.rows(
            """
            SELECT event_id, received_at, origin FROM webhook_events
            WHERE source = \(StripeWebhook.name) AND event_id \(in: ids)
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.get(at: 0), Arrival(at: try $0.get(at: 1), origin: try $0.get(at: 2)))
            })
    }

    /// Puts an event that never arrived through the webhook ledger.
    private func adopt(_ event: PaymentObject) async throws {
        guard let body = event.body, let type = event.eventType else { return }
        try await report(.init(.eventMissing, event))
        explain(event.about)
        _ = try await WebhookLedger(database: database).adopt(
            StripeWebhook.self, Delivery(eventID: event.id, eventType: type, payload: body), context)
    }

    /// Payouts live in the instructors' own accounts, and so do their events.
    func comparePayouts() async throws {
        var after = PaymentSweep.Due.first
        while true {
            let place = after
            let rows = try await database.read { db in
                try db.rows(
                    """
                    SELECT created_at, instructor_profile_id, stripe_account_id FROM stripe_connected_accounts
                    WHERE onboarding_completed AND deauthorized_at IS NULL
                    AND (created_at, instructor_profile_id) > (\(place.at), \(place.id))
                    ORDER BY created_at, instructor_profile_id LIMIT \(Self.page)
                    """
                ).map { (try PaymentSweep.Due(row: $0), try $0.get(at: 2, as: String.self)) }
            }
            for (_, account) in rows { try await comparePayouts(of: account) }
            guard rows.count == Self.page, let last = rows.last else { return }
            after = last.0
        }
    }

    private func comparePayouts(of account: String) async throws {
        var suspects: [Finding] = []
        try await pages(.payout, since: run.since, account: account) { page in
            let ids = page.map(\.id)
            let known = try await self.database.read { try Self.ourPayouts(ids, $0) }
            suspects += page.compactMap { Self.difference($0, known[$0.id]) }
        }
        guard !suspects.isEmpty else { return }
        // An event that is missing explains it.
        try await pages(.event, since: run.since, account: account) { try await self.compare(events: $0) }
        for suspect in suspects where !isExplained(suspect.object) { try await report(suspect) }
    }

    private static func ourPayouts(_ ids: [String], _ db: Snapshot) throws -> [String: (Int?, Set<String>)] {
        var found: [String: (Int?, Set<String>)] = [:]
        let rows = try db.rows(
            """
            SELECT payout_id, amount_cents, status FROM instructor_payout_events WHERE payout_id \(in: ids)
            """)
        for row in rows {
            let id: String = try row.get(at: 0)
            let statuses = found[id]?.1 ?? []
            found[id] = (try row.get(at: 1), statuses.union([try row.get(at: 2)]))
        }
        return found
    }

    private static func difference(_ theirs: PaymentObject, _ ours: (cents: Int?, statuses: Set<String>)?)
        -> Finding?
    {
        let amount = theirs.amount ?? 0
        func found(_ kind: DifferenceKind, _ cents: Int) -> Finding {
            Finding(
                kind: kind, object: theirs.id, cents: cents,
                ours: ours.map {
                    [
                        "amount_cents": $0.cents.map { .int($0) } ?? .null,
                        "statuses": .array($0.statuses.sorted().map { .string($0) }),
                    ]
                } ?? [:], theirs: theirs.shown)
        }
        guard let ours else { return found(.payoutUnknownHere, amount) }
        if let cents = ours.cents, cents != amount { return found(.payoutAmount, amount - cents) }
        guard let status = theirs.status, !ours.statuses.contains(status), status != "in_transit" else {
            return nil
        }
        return found(.payoutStatus, amount)
    }
}

extension Finding {
    fileprivate init(_ kind: DifferenceKind, _ event: PaymentObject, received: Instant? = nil) {
        let object = event.body?["data"]?["object"]
        var theirs: JSONObject = ["id": .string(event.id), "type": .string(event.eventType ?? "")]
        theirs["created"] = event.created.map { .string($0.description) }
        theirs["object_id"] = object?["id"]?.stringValue.map { .string($0) }
        self.init(
            kind: kind, object: event.id, cents: object?["amount"]?.intValue ?? 0,
            ours: received.map { ["received_at": .string($0.description)] } ?? [:], theirs: theirs)
    }
}

extension StripeWebhook {
    /// Events that change something here; of others a missing one is no loss.
    static func isOfMoney(_ type: String) -> Bool {
        switch type {
        case "charge.refunded", "charge.dispute.created", "charge.dispute.closed", "account.updated",
            "account.application.deauthorized":
            true
        default:
            ["payment_intent.", "payout.", "identity.verification_session."].contains { type.hasPrefix($0) }
        }
    }
}

extension PaymentObject {
    /// Ids that an event is about.
    fileprivate var about: [String] {
        let object = body?["data"]?["object"]
        return [object?["id"]?.stringValue, object?["payment_intent"]?.stringValue].compactMap { $0 }
    }

    /// The same for every event that tells of something that happens once.
    fileprivate var onceMark: String? {
        guard let eventType, let object = body?["data"]?["object"], let id = object["id"]?.stringValue else {
            return nil
        }
        switch eventType {
        case "payment_intent.created", "payment_intent.succeeded", "payment_intent.canceled",
            "charge.dispute.created", "charge.dispute.closed", "payout.created", "payout.paid",
            "payout.failed":
            return "\(eventType)/\(id)"
        case "charge.refunded": return "\(eventType)/\(id)/\(object["amount_refunded"]?.intValue ?? 0)"
        default: return nil
        }
    }
}
