import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization
import Testing

/// A student with a card, an instructor with an account, and lessons between them,
/// whose money is at the built-in Stripe.
struct MoneyWorld: Sendable {
    let platform: TestPlatform
    let student: ULID
    let teacher: Teacher
    let account: String
    let customer: String
    let card: String
    let stripe: UnreliableProvider

    /// - Parameter card: one of the test cards.
    static func make(_ platform: TestPlatform, card: String = "pm_card_visa") async throws -> MoneyWorld {
        let context = platform.context(.system("test"), surface: .job)
        let provider = try #require(PaymentProvider.of(context, platform.database))
        let student = try TestPlatform.id(try await platform.person(.student))
        let teacher = try await platform.teacher()
        let customer = try await provider.made(.createCustomer(user: student), "customer_\(student)").id
        let account = try await provider.made(
            .createAccount(instructor: teacher.profile), "account_\(teacher.profile)"
        ).id
        try await StripeSandbox(database: platform.database, context: context).completeOnboarding(account)
        let method = try await provider.made(
            .attachPaymentMethod(id: card, customer: customer), "attach_\(student)")
        let now = platform.now
        let ids = (0..<2).map { _ in platform.environment.ids.next(at: now) }
        try await platform.execute(
            """
            INSERT INTO stripe_customers (id, user_id, stripe_customer_id, created_at)
            VALUES (\(ids[0]), \(student), \(customer), \(now))
            """,
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(ids[1]), \(teacher.profile), \(account), \(true), \(now), \(now))
            """,
            // Plans are carried out here, where things go wrong, and not by the worker.
            """
            INSERT INTO job_queues (name, paused_at, paused_by, reason)
            VALUES ('payments', \(now), 'test', 'plans are carried out by the test') ON CONFLICT DO NOTHING
            """)
        return MoneyWorld(
            platform: platform, student: student, teacher: teacher, account: account, customer: customer,
            card: method.id, stripe: UnreliableProvider(provider))
    }

    /// A confirmed lesson of an hour for 100 dollars, to be paid a day ahead.
    func book(startingIn lead: Duration, price: Int = 10_000) async throws -> ULID {
        let (now, id) = (platform.now, platform.environment.ids.next(at: platform.now))
        let start = now + lead
        try await platform.execute(
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, booking_start_utc, \
            booking_end_utc, service_name, hourly_rate_cents, total_price_cents, duration_minutes, \
            lesson_timezone, confirmed_at, created_at, updated_at)
            VALUES (\(id), \(student), \(teacher.user), 'CONFIRMED', 'scheduled', \(start), \
            \(start + .seconds(3_600)), 'Piano', \(price), \(price), 60, 'America/New_York', \(now), \(now), \(now))
            """,
            """
            INSERT INTO booking_payments (booking_id, payment_method_id, auth_scheduled_for, updated_at)
            VALUES (\(id), \(card), \(start - .seconds(86_400)), \(now))
            """)
        return id
    }

    /// Credits that the platform gave the student.
    func give(credit cents: Int) async throws {
        let (student, id) = (student, platform.environment.ids.next(at: platform.now))
        let context = platform.context(.system("test"), surface: .job)
        try await platform.database.transaction(context, category: .automated) { tx, unit in
            try tx.run(
                """
                INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, status, created_at)
                VALUES (\(id), \(student), \(cents), 'A gift', 'legacy', 'available', \(unit.context.now))
                """)
            try Ledger.post(
                [.init(.creditGranted, cents)], .init(student: student), key: "gift_\(id)", tx, unit.context)
        }
    }

    /// Changes a booking as an operation does, under its lock.
    func change(
        _ id: ULID, _ body: @escaping @Sendable (inout Booking, Transaction, Context) throws -> Void
    ) async throws {
        let context = platform.context(.system("test"), surface: .job)
        try await platform.database.transaction(context, category: .automated) { tx, unit in
            guard var booking = try Booking.lock(id, tx) else { throw Failure(.notFound, "no booking") }
            try body(&booking, tx, unit.context)
        }
    }

    func booking(_ id: ULID) async throws -> Booking {
        try #require(try await platform.database.read { try Booking.find(id, $0) })
    }

    func payment(_ id: ULID) async throws -> BookingPayment {
        try #require(try await platform.database.read { try BookingPayment.of(id, $0) })
    }

    /// Carries out every plan, as often as it takes: whoever dies at it is followed by
    /// another once the lease has run out.
    func settle() async throws {
        for _ in 0..<200 {
            let plans: [ULID] = try await platform.database.read { db in
                try db.values("SELECT id FROM money_plans WHERE state = 'running' ORDER BY id")
            }
            if plans.isEmpty { return }
            for plan in plans {
                let run = MoneyRun(
                    provider: stripe.port, database: platform.database,
                    context: platform.context(.system("test"), surface: .job))
                do {
                    if let wait = try await run.carryOut(plan) { platform.clock.advance(by: wait) }
                } catch is UnreliableProvider.Died { platform.clock.advance(by: .seconds(91)) }
            }
        }
        Issue.record("plans do not end")
    }

    func authorize(_ id: ULID) async throws {
        try await change(id) { booking, tx, context in
            try MoneyPlan.start(.authorize, [.init(.authorize, "auth_\(id)_1")], &booking, tx, context)
        }
        try await settle()
    }

    /// The lesson was held and is paid for.
    func capture(_ id: ULID) async throws {
        try await change(id) { booking, tx, context in
            try booking.move(to: .completed, at: booking.end, tx, context)
            try MoneyPlan.start(
                .capture, [.init(.capture, "capture_\(id)"), .init(.topUp, "topup:\(id)")], &booking, tx,
                context)
        }
        try await settle()
    }

    func cancel(_ id: ULID, by who: CancelledBy) async throws {
        let user = who == .student ? student : teacher.user
        try await change(id) { booking, tx, context in
            try booking.cancel(by: who, user: user, reason: "It rains", tx, context)
        }
        try await settle()
    }

    /// What is at the provider and in the ledger of this student and this instructor.
    func digest() async throws -> [String: Int] {
        let (customer, account, student) = (customer, account, student)
        return try await platform.database.read { db in
            var digest: [String: Int] = [:]
            func add(_ name: String, _ sql: SQL) throws {
                for row in try db.rows(sql) {
                    let key: String = try row.get(at: 0)
                    digest["\(name) \(key)"] = try row.get(at: 1, as: Int.self)
                }
            }
            try add(
                "payments",
                """
                SELECT 'count', COUNT(*) FROM stripe_sandbox_objects WHERE kind = 'payment_intent'
                AND owner = \(customer)
                """)
            try add(
                "transfers",
                """
                SELECT 'net', CAST(COALESCE(SUM(amount - returned), 0) AS BIGINT) FROM stripe_sandbox_objects
                WHERE kind = 'transfer' AND owner = \(account)
                UNION ALL SELECT 'sum', CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM stripe_sandbox_objects
                WHERE kind = 'transfer' AND owner = \(account)
                UNION ALL SELECT 'count', COUNT(*) FROM stripe_sandbox_objects
                WHERE kind = 'transfer' AND owner = \(account)
                """)
            try add(
                "charges",
                """
                SELECT 'sum', CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM stripe_sandbox_objects c
                WHERE kind = 'charge' AND parent IN (SELECT id FROM stripe_sandbox_objects
                    WHERE kind = 'payment_intent' AND owner = \(customer))
                    AND body LIKE '%"captured":true%'
                UNION ALL SELECT 'returned', CAST(COALESCE(SUM(returned), 0) AS BIGINT)
                FROM stripe_sandbox_objects c
                WHERE kind = 'charge' AND parent IN (SELECT id FROM stripe_sandbox_objects
                    WHERE kind = 'payment_intent' AND owner = \(customer))
                """)
            try add(
                "ledger",
                """
                SELECT kind, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_movements WHERE student_id = \(student)
                GROUP BY kind
                """)
            try add(
                "account",
                """
                SELECT account, CAST(SUM(amount_cents) AS BIGINT) FROM ledger_lines WHERE student_id = \(student)
                GROUP BY account
                """)
            try add(
                "credits",
                """
                SELECT status, CAST(SUM(amount_cents) AS BIGINT) FROM platform_credits WHERE user_id = \(student)
                GROUP BY status
                """)
            try add(
                "bookings",
                """
                SELECT status || ' ' || COALESCE(payment_status, '') || ' ' || COALESCE(settlement_outcome, ''),
                COUNT(*) FROM bookings WHERE student_id = \(student) GROUP BY 1
                """)
            return digest.filter { $0.value != 0 }
        }
    }
}

/// A provider on the way to whom the caller dies, or the answer is lost.
final class UnreliableProvider: Sendable {
    /// The process that made the call is gone.
    struct Died: Error {}

    enum Fault: Sendable, Hashable, CaseIterable {
        case diesBefore, diesAfter
        /// The call arrives, the answer does not, and the caller lives.
        case losesAnswer
        /// The call does not arrive, and the caller cannot know.
        case losesCall
    }

    private let base: PaymentProvider
    private let state = Mutex(State())

    private struct State: Sendable {
        var sent = 0
        var faults: [Int: Fault] = [:]
    }

    init(_ base: PaymentProvider) { self.base = base }

    /// How many calls that change something were tried.
    var sent: Int { state.withLock { $0.sent } }

    /// Lets the call with that number, from 1, go wrong.
    func plan(_ fault: Fault, at call: Int) { state.withLock { $0.faults[call] = fault } }

    var port: PaymentProvider {
        PaymentProvider(
            send: { request, key in
                let fault = self.state.withLock { state -> Fault? in
                    state.sent += 1
                    return state.faults.removeValue(forKey: state.sent)
                }
                if fault == .diesBefore { throw Died() }
                if fault == .losesCall { return .unknown("no answer") }
                let outcome = try await self.base.send(request, key)
                if fault == .diesAfter { throw Died() }
                return fault == .losesAnswer ? .unknown("no answer") : outcome
            }, find: base.find, retrieve: base.retrieve, list: base.list)
    }
}
