package import Kernel
package import Storage

/// One row of `stripe_connected_accounts`: where an instructor's money goes.
package struct ConnectedAccount: Sendable, RowDecodable {
    /// Of the profile.
    package var instructorID: ULID
    package var stripeID: String
    package var isOnboarded: Bool
    package var deauthorizedAt: Instant?

    private static let columns: SQL =
        "a.instructor_profile_id, a.stripe_account_id, a.onboarding_completed, a.deauthorized_at"

    package init(row: Row) throws {
        instructorID = try row.get(at: 0)
        stripeID = try row.get(at: 1)
        isOnboarded = try row.get(at: 2)
        deauthorizedAt = try row.get(at: 3)
    }

    package var subject: Subject { Subject("instructor", instructorID.description) }
    /// Money can be sent to it.
    package var isReady: Bool { isOnboarded && deauthorizedAt == nil }

    static func find(stripe id: String, _ db: Snapshot) throws -> ConnectedAccount? {
        try db.one("SELECT \(columns) FROM stripe_connected_accounts a WHERE a.stripe_account_id = \(id)")
    }

    static func lock(stripe id: String, _ tx: Transaction) throws -> ConnectedAccount? {
        try tx.one(
            """
            SELECT \(columns) FROM stripe_connected_accounts a WHERE a.stripe_account_id = \(id) \(.forUpdate)
            """)
    }

    /// Of the instructor with that profile.
    package static func of(profile: ULID, _ db: Snapshot) throws -> ConnectedAccount? {
        try db.one(
            "SELECT \(columns) FROM stripe_connected_accounts a WHERE a.instructor_profile_id = \(profile)")
    }

    /// Of the instructor with that user id.
    package static func of(instructor user: ULID, _ db: Snapshot) throws -> ConnectedAccount? {
        try db.one(
            """
            SELECT \(columns) FROM stripe_connected_accounts a
            JOIN instructor_profiles p ON p.id = a.instructor_profile_id WHERE p.user_id = \(user)
            """)
    }
}
