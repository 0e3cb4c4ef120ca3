import JSON
import Kernel
import Storage

extension Person {
    init(_ user: User) { self.init(id: user.id, email: user.email, phone: user.phone) }
}

/// Forgets a person in one transaction: their rows as ``PersonalTable`` says, then
/// who they are, then every session; last come the mail and the entry.
///
/// Repeating it changes nothing more.
enum ForgetPerson {
    enum Mode: Sendable {
        /// The account is closed.
        case delete
        /// The account's history stays, of somebody without a name.
        case anonymize
    }

    /// How many rows of each table were deleted or blanked.
    typealias Counts = [String: Int]

    static func run(_ id: ULID, _ mode: Mode, _ tx: Transaction, _ context: Context) throws -> Counts {
        guard let user = try User.lock(id, tx) else { throw UserAccessView.notFound(id) }
        guard user.deletedAt == nil else { return [:] }
        if mode == .delete { try refuseWithUpcomingBookings(id, tx, context) }
        let counts = try user.leavingAnAdministrator(tx) {
            let counts = try forgetRows(of: Person(user), tx)
            try blank(user, mode, tx, context)
            return counts
        }
        let farewell = try tx.send(
            .email(
                to: user.email, subject: "Your data was deleted",
                text: """
                    Hello,

                    what InstaInstru held about you is deleted. Records of payments are kept for as long as the \
                    law wants, without your name. This message is the last, and is forgotten once it is sent.
                    """, event: "user.forgotten", about: id.description, key: "user/\(id)/forgotten"))
        try tx.enqueue(ForgetMessage(message: farewell))
        try tx.audit(
            mode == .delete ? "user.delete" : "user.anonymize", user.subject,
            description: mode == .delete ? "Account deleted" : "Account anonymized",
            metadata: [
                "delete_account": .bool(mode == .delete),
                "rows": .object(
                    JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })),
            ])
        return counts
    }

    private static func forgetRows(of person: Person, _ tx: Transaction) throws -> Counts {
        var counts: Counts = [:]
        for table in PersonalTable.all {
            let touched = try table.forget(person, tx)
            if touched > 0 { counts[table.name] = touched }
        }
        return counts
    }

    /// A lesson that is still to come has another person waiting for it.
    private static func refuseWithUpcomingBookings(_ id: ULID, _ tx: Transaction, _ context: Context) throws {
        let upcoming: Int? = try tx.value(
            """
            SELECT COUNT(*) FROM bookings WHERE (student_id = \(id) OR instructor_id = \(id))
            AND status IN ('PENDING', 'CONFIRMED')
            AND (booking_start_utc IS NULL OR booking_start_utc > \(context.now))
            """)
        guard upcoming ?? 0 == 0 else {
            throw Failure(
                .conflict, "There are \(upcoming ?? 0) upcoming lessons.",
                hint: "Cancel them first, or wait until they are over.", reason: "upcoming_bookings")
        }
    }

    private static func blank(_ user: User, _ mode: Mode, _ tx: Transaction, _ context: Context) throws {
        let address =
            mode == .delete ? "deleted_\(user.id)@deleted.com" : "anon_\(user.id)@anonymized.com"
        let (first, last) = mode == .delete ? ("Deleted", "User") : ("Anonymous", "User\(user.id)")
        let status: AccountStatus = mode == .delete ? .deactivated : user.accountStatus
        // No password hashes to this, so nobody signs in with the old one.
        try tx.run(
            """
            UPDATE users SET email = \(User.normalized(email: address)), email_verified_at = NULL, \
            hashed_password = '!', first_name = \(first), last_name = \(last), phone = NULL, \
            phone_verified = \(false), zip_code = '00000', is_active = \(mode == .delete ? false : user.isActive), \
            account_status = \(status), account_locked_reason = NULL, account_restricted_reason = NULL, \
            tokens_valid_after = \(context.now), deleted_at = \(context.now), updated_at = \(context.now)
            WHERE id = \(user.id)
            """)
    }
}
