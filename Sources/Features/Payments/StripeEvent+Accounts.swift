import JSON
import Kernel
import Storage

// Connected accounts, payouts and identity checks of instructors.
extension StripeEvent {
    /// The connected account that the event is about: the envelope's, never
    /// `payout.destination`, which is a bank account.
    private func account(_ tx: Transaction, or fallback: String? = nil) throws -> ConnectedAccount? {
        guard let id = body["account"]?.stringValue ?? fallback else { return nil }
        return try tx.one(
            """
            SELECT instructor_profile_id, stripe_account_id, onboarding_completed, deauthorized_at
            FROM stripe_connected_accounts WHERE stripe_account_id = \(id) \(.forUpdate)
            """)
    }

    func updateAccount(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        guard let account = try account(tx, or: object["id"]?.stringValue) else {
            return .unmatched("the connected account is not known here")
        }
        let isReady =
            object["charges_enabled"]?.boolValue == true && object["details_submitted"]?.boolValue == true
        // Partial events leave the flags out; readiness never regresses on them.
        if isReady, !account.isOnboarded {
            try tx.run(
                """
                UPDATE stripe_connected_accounts SET onboarding_completed = \(true), updated_at = \(context.now)
                WHERE stripe_account_id = \(account.stripeID)
                """)
            try tx.audit(
                "instructor.payout_account_update", account.subject,
                changes: changes(from: ["onboarding_completed": false], to: ["onboarding_completed": true]))
        }
        return .processed(related: account.subject)
    }

    func deauthorize(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        guard let account = try account(tx) else {
            return .unmatched("the connected account is not known here")
        }
        if account.deauthorizedAt == nil {
            try tx.run(
                """
                UPDATE stripe_connected_accounts SET deauthorized_at = \(created), updated_at = \(context.now)
                WHERE stripe_account_id = \(account.stripeID)
                """)
            try tx.audit(
                "instructor.payout_account_update", account.subject,
                changes: changes(
                    from: ["deauthorized_at": .null], to: ["deauthorized_at": .string(created.description)]))
        }
        return .processed(related: account.subject)
    }

    func payout(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        let id = try text("id")
        let status = try text("status")
        guard let account = try account(tx) else {
            return .unmatched("the payout \(id) is of no account known here")
        }
        let arrival = object["arrival_date"]?.intValue.map { Instant(microseconds: Int64($0) * 1_000_000) }
        let inserted = try tx.run(
            """
            INSERT INTO instructor_payout_events (id, instructor_profile_id, stripe_account_id, payout_id, \
            amount_cents, status, arrival_date, failure_code, failure_message, created_at)
            VALUES (\(context.newID()), \(account.instructorID), \(account.stripeID), \(id), \
            \(object["amount"]?.intValue), \(status), \(arrival), \(object["failure_code"]?.stringValue), \
            \(object["failure_message"]?.stringValue), \(context.now)) ON CONFLICT DO NOTHING
            """
        ).affected
        if inserted > 0 {
            try tx.audit(
                "payment.payout", account.subject,
                changes: [
                    "payout_status": ["old": .null, "new": .string(status)],
                    "payout_id": ["old": .null, "new": .string(id)],
                ],
                status: status == "failed" ? .failed : .success)
        }
        return .processed(related: account.subject)
    }

    func identity(_ tx: Transaction, _ context: Context) throws -> HandledWebhook {
        guard let user = object["metadata"]?["user_id"]?.stringValue.flatMap({ ULID($0) }),
            let profile = try InstructorProfile.lock(user: user, tx)
        else { return .unmatched("the verification session names no instructor known here") }
        try profile.identity(
            session: try text("id"), isVerified: event.eventType.hasSuffix(".verified"), at: created, tx,
            context)
        return .processed(related: profile.subject)
    }
}

/// One row of `stripe_connected_accounts`.
private struct ConnectedAccount: RowDecodable {
    var instructorID: ULID
    var stripeID: String
    var isOnboarded: Bool
    var deauthorizedAt: Instant?

    init(row: Row) throws {
        instructorID = try row.get(at: 0)
        stripeID = try row.get(at: 1)
        isOnboarded = try row.get(at: 2)
        deauthorizedAt = try row.get(at: 3)
    }

    var subject: Subject { Subject("instructor", instructorID.description) }
}
