import JSON
package import Kernel
package import Storage

/// The values of `users.account_status`.
package enum AccountStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case active, suspended, deactivated
}

/// One row of `users`: a person. There is no table of students; a student is a
/// person with that role.
package struct User: Sendable, RowDecodable {
    package var id: ULID
    /// Lower case; unique.
    package var email: String
    package var emailVerifiedAt: Instant?
    /// A PHC string; never shown.
    package var hashedPassword: String
    package var firstName: String
    package var lastName: String
    /// E.164.
    package var phone: String?
    package var isPhoneVerified: Bool
    package var zipCode: String
    package var timezone: String
    package var isActive: Bool
    package var accountStatus: AccountStatus
    package var isAccountLocked: Bool
    package var isAccountRestricted: Bool
    /// Below zero when a student owes credits that were spent and then disputed.
    package var creditBalanceCents: Int
    /// While a dispute is open.
    package var isCreditFrozen: Bool
    /// A token issued before this moment is no longer valid.
    package var tokensValidAfter: Instant?
    package var lastLoginAt: Instant?
    package var deletedAt: Instant?
    package var createdAt: Instant
    package var updatedAt: Instant

    package init(row: Row) throws {
        id = try row["id"]
        email = try row["email"]
        emailVerifiedAt = try row["email_verified_at"]
        hashedPassword = try row["hashed_password"]
        firstName = try row["first_name"]
        lastName = try row["last_name"]
        phone = try row["phone"]
        isPhoneVerified = try row["phone_verified"]
        zipCode = try row["zip_code"]
        timezone = try row["timezone"]
        isActive = try row["is_active"]
        accountStatus = try row["account_status"]
        isAccountLocked = try row["account_locked"]
        isAccountRestricted = try row["account_restricted"]
        creditBalanceCents = try row["credit_balance_cents"]
        isCreditFrozen = try row["credit_balance_frozen"]
        tokensValidAfter = try row["tokens_valid_after"]
        lastLoginAt = try row["last_login_at"]
        deletedAt = try row["deleted_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }

    package var subject: Subject { Subject("user", id.description) }
    /// "Maria L.": how people are named to others.
    package var privacyName: String { Self.privacyName(firstName, lastName) }

    package static func privacyName(_ firstName: String, _ lastName: String) -> String {
        lastName.first.map { "\(firstName) \($0)." } ?? firstName
    }

    /// How an address is compared and kept.
    package static func normalized(email: String) -> String {
        String(email.lowercased().filter { !$0.isWhitespace })
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> User? {
        try db.one("SELECT * FROM users WHERE id = \(id)")
    }

    package static func find(email: String, _ db: Snapshot) throws -> User? {
        try db.one("SELECT * FROM users WHERE email = \(normalized(email: email))")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> User? {
        try tx.one("SELECT * FROM users WHERE id = \(id) \(.forUpdate)")
    }

    /// What a new person is made of.
    package struct Draft: Sendable {
        package var email: String
        package var hashedPassword: String
        package var firstName: String
        package var lastName: String
        package var phone: String?
        package var zipCode: String
        package var timezone: String

        package init(
            email: String, hashedPassword: String, firstName: String, lastName: String, phone: String? = nil,
            zipCode: String, timezone: String = "America/New_York"
        ) {
            self.email = email
            self.hashedPassword = hashedPassword
            self.firstName = firstName
            self.lastName = lastName
            self.phone = phone
            self.zipCode = zipCode
            self.timezone = timezone
        }
    }

    /// Adds a person with their roles; nil when the address is taken, by however
    /// many calls at a time.
    package static func create(_ draft: Draft, roles: [UserRole], _ tx: Transaction, _ context: Context)
        throws
        -> User?
    {
        let id = context.newID()
        let now = context.now
        let added = try tx.run(
            """
            INSERT INTO users (id, email, hashed_password, first_name, last_name, phone, phone_verified, zip_code, \
            timezone, is_active, account_status, account_locked, account_restricted, credit_balance_cents, \
            credit_balance_frozen, created_at, updated_at)
            VALUES (\(id), \(normalized(email: draft.email)), \(draft.hashedPassword), \(draft.firstName), \
            \(draft.lastName), \(draft.phone), \(false), \(draft.zipCode), \(draft.timezone), \(true), \
            \(AccountStatus.active), \(false), \(false), 0, \(false), \(now), \(now))
            ON CONFLICT (email) DO NOTHING
            """
        ).affected
        guard added == 1 else { return nil }
        for role in roles {
            try tx.run(
                "INSERT INTO user_roles (user_id, role, assigned_at) VALUES (\(id), \(role), \(now))")
        }
        return try find(id, tx)
    }

    /// Ends every token that was issued until now.
    package static func endTokens(of id: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE users SET tokens_valid_after = \(context.now), updated_at = \(context.now) WHERE id = \(id)
            """)
    }
}
