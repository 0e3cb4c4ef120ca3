import JSON
import Kernel
import Storage

// Connected accounts, payouts and identity checks of instructors.
extension StripeEvent {
    /// The connected account that the event is about: the envelope's, never
    /// `payout.destination`, which is a bank account.
    private func account(_ tx: Transaction, or fallback: String? = nil) throws -> ConnectedAccount? {
        guard let id = body["account"]?.stringValue ?? fallback else { return nil }
        return try ConnectedAccount.lock(stripe: id, tx)
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
            try tellInstructor(status, account, tx)
        }
        return .processed(related: account.subject)
    }

    private func tellInstructor(_ status: String, _ account: ConnectedAccount, _ tx: Transaction) throws {
        let user: ULID? = try tx.value(
            "SELECT user_id FROM instructor_profiles WHERE id = \(account.instructorID)")
        guard let user, ["paid", "failed"].contains(status) else { return }
        let amount = object["amount"]?.intValue.map { DollarAmount(cents: $0).text } ?? "A payout"
        try tx.notify(
            user: user, category: .systemUpdates, type: "payout.\(status)",
            title: status == "paid" ? "Your payout is on your account" : "Your payout did not arrive",
            body: status == "paid"
                ? "\(amount) was paid to your bank account."
                : "\(amount) could not be paid to your bank account. Please check it with the payment provider.",
            data: ["payout_id": .string(try text("id"))])
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
