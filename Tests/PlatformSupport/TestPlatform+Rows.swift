import Kernel
import Storage

// Rows that webhooks are about.
extension TestPlatform {
    package static let booking = "01JBKG00000000000000000001"
    package static let payment = "01JPAY00000000000000000001"
    package static let user = "01JSER00000000000000000001"
    package static let instructor = "01JNST00000000000000000001"

    /// Pending bookings, each with a payment intent over 5,000 cents: `pi_1`,
    /// `pi_2` and so on.
    package func givenBookings(_ count: Int = 1) async throws {
        let now = now
        try await database.write { tx in
            // Whoever is told of something has to be somebody.
            for person in [Self.user, Self.instructor] { try tx.run(Self.person(person, at: now)) }
            for number in 1...count {
                let (booking, payment) = (Self.id(Self.booking, number), Self.id(Self.payment, number))
                try tx.runMany([
                    """
                    INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, \
                    updated_at)
                    VALUES (\(booking), \(Self.user), \(Self.instructor), 'PENDING', 'scheduled', \(now), \(now))
                    """,
                    """
                    INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, status, \
                    status_at, created_at, updated_at)
                    VALUES (\(payment), \(booking), \("pi_\(number)"), 5000, 'requires_payment_method', 0, \
                    \(now), \(now))
                    """,
                ])
            }
        }
    }

    /// Instructors with the candidates and connected accounts `cand_1` and
    /// `acct_1`, `cand_2` and `acct_2` and so on. One who is live has been so
    /// since ``TestClock/start``, with a check passed before.
    package func givenInstructors(_ count: Int = 1, isLive: Bool = false) async throws {
        let now = now
        let status: String? = isLive ? "passed" : nil
        let since: Instant? = isLive ? TestClock.start : nil
        try await database.write { tx in
            for number in 1...count {
                let (profile, user) = (Self.id(Self.instructor, number), Self.id(Self.user, number))
                try tx.runMany([
                    Self.person(user, at: now),
                    """
                    INSERT INTO instructor_profiles (id, user_id, is_live, live_since, bgc_status, bgc_status_at, \
                    checkr_candidate_id, created_at, updated_at)
                    VALUES (\(profile), \(user), \(isLive), \(since), \(status), \(since), \("cand_\(number)"), \
                    \(now), \(now))
                    """,
                    """
                    INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
                    onboarding_completed, created_at, updated_at)
                    VALUES (\(Self.id("01JACC00000000000000000001", number)), \(profile), \("acct_\(number)"), \
                    \(false), \(now), \(now))
                    """,
                ])
            }
        }
    }

    /// A person of that id, unless there is one.
    private static func person(_ id: String, at now: Instant) -> SQL {
        """
        INSERT INTO users (id, email, hashed_password, first_name, last_name, phone_verified, zip_code, timezone, \
        is_active, account_status, account_locked, account_restricted, credit_balance_cents, \
        credit_balance_frozen, created_at, updated_at)
        VALUES (\(id), \("\(id.lowercased())@example.com"), 'x', 'Maria', 'Lopez', \(false), '10001', \
        'America/New_York', \(true), 'active', \(false), \(false), 0, \(false), \(now), \(now))
        ON CONFLICT DO NOTHING
        """
    }

    /// The id of the `number`th row beside `first`.
    package static func id(_ first: String, _ number: Int) -> String {
        let digits = String(number)
        return String(first.dropLast(digits.count)) + digits
    }
}
