import JSON
import Kernel
import Storage

/// The caller's profile, and their account at the provider when they have one.
struct OwnAccount: Sendable {
    var profile: ULID
    var account: ConnectedAccount?

    static func find(_ db: Reader, _ context: Context) async throws -> OwnAccount {
        let user = try context.userID()
        return try await db.read { db in
            guard let profile = try InstructorProfile.find(user: user, db), profile.closedAt == nil else {
                throw InstructorProfile.none
            }
            return OwnAccount(profile: profile.id, account: try ConnectedAccount.of(instructor: user, db))
        }
    }

    /// The account, where money can go to it.
    func ready() throws -> ConnectedAccount {
        guard let account, account.isReady else {
            throw Failure(
                .conflict, "There is no account yet that money can be paid to.",
                hint: "POST /api/v1/payments/connect/onboard begins one.", reason: "connect_not_ready")
        }
        return account
    }
}

extension ConnectedAccount {
    /// Writes down an account that the provider made; once for each instructor.
    static func store(_ stripeID: String, profile: ULID, _ tx: Transaction, _ context: Context) throws {
        let added = try tx.run(
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(context.newID()), \(profile), \(stripeID), \(false), \(context.now), \(context.now))
            ON CONFLICT DO NOTHING
            """)
        guard added.affected == 1 else { return }
        try tx.audit("instructor.payout_account_create", Subject("instructor", profile.description))
    }

    /// The provider says that money can be paid to it; it never becomes less ready by this.
    static func complete(_ stripeID: String, _ tx: Transaction, _ context: Context) throws {
        guard let account = try lock(stripe: stripeID, tx), !account.isOnboarded else { return }
        try tx.run(
            """
            UPDATE stripe_connected_accounts SET onboarding_completed = \(true), updated_at = \(context.now)
            WHERE stripe_account_id = \(stripeID)
            """)
        try tx.audit(
            "instructor.payout_account_update", account.subject,
            changes: changes(from: ["onboarding_completed": false], to: ["onboarding_completed": true]))
    }
}
