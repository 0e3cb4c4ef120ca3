import Features
import JSON
import Kernel
import PlatformSupport
import Storage

/// Platforms with what the features of people need, below their operations.
extension TestPlatform {
    /// One transaction as a surface opens it.
    func act<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction, Context) throws -> Value
    ) async throws -> Value {
        let context = context()
        return try await database.transaction(context, category: .admin) { tx, _ in try body(tx, context) }
    }

    func newID() -> ULID { context().newID() }

    /// Somebody with these roles.
    func newUser(_ roles: UserRole...) async throws -> ULID {
        let context = context(.system("test"))
        let email = "p\(context.newID().description.lowercased())@example.com"
        return try await database.write { tx in
            let draft = User.Draft(
                email: email, hashedPassword: "x", firstName: "Maria", lastName: "Lopez", zipCode: "10001")
            guard let user = try User.create(draft, roles: roles, tx, context) else {
                throw Failure(.conflict, "\(email) is taken")
            }
            return user.id
        }
    }

    /// Lets instructors register without an invite.
    func letInstructorsJoin() async throws {
        try await execute("UPDATE beta_settings SET allow_signup_without_invite = \(true)")
    }

    /// What the body fails with.
    func refusal(_ body: @escaping @Sendable (Transaction, Context) throws -> Void) async throws -> Failure? {
        do {
            try await act(body)
            return nil
        } catch let failure as Failure {
            return failure
        }
    }

    func newUsers(_ count: Int) async throws -> [ULID] {
        var users: [ULID] = []
        for _ in 0..<count { users.append(try await newUser()) }
        return users
    }

    /// A booking between the two in that state.
    func givenBooking(student: ULID, instructor: ULID, _ status: BookingStatus = .completed) async throws
        -> ULID
    {
        let (id, now) = (newID(), now)
        try await database.write { tx in
            _ = try tx.run(
                """
                INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at)
                VALUES (\(id), \(student), \(instructor), \(status), \(now), \(now))
                """)
        }
        return id
    }

    /// An instructor's profile for the user, and an account that money can go to.
    func givenPayoutAccount(_ user: ULID) async throws {
        let (profile, account, now) = (newID(), newID(), now)
        try await execute(
            """
            INSERT INTO instructor_profiles (id, user_id, is_live, created_at, updated_at)
            VALUES (\(profile), \(user), \(false), \(now), \(now))
            """,
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(account), \(profile), \("acct_\(account)"), \(true), \(now), \(now))
            """)
    }

    /// How many audit entries of an action there are.
    func audited(_ action: String) async throws -> Int {
        await recorder.flush()
        return try await database.read { db in
            try db.value("SELECT COUNT(*) FROM audit_logs WHERE action = \(action)") ?? 0
        }
    }
}
