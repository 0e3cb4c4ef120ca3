import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Testing

/// A student with a card, an instructor with an account at the built-in Stripe, and lessons
/// between them, past the checks of booking.
struct PaymentWorld: Sendable {
    static let hour = Duration.seconds(3_600)

    let platform: TestPlatform
    let provider: PaymentProvider
    let sandbox: StripeSandbox
    let teacher: Teacher
    let student: Actor
    let studentID: ULID
    let account: String
    let customer: String

    static func with(_ dialect: Dialect, _ body: (PaymentWorld) async throws -> Void) async throws {
        let loop = Loopback()
        try await TestPlatform.with(dialect, clients: loop.clients) { platform in
            loop.use(platform)
            defer { loop.use(nil) }
            try await body(try await make(platform))
        }
    }

    private static func make(_ platform: TestPlatform) async throws -> PaymentWorld {
        let context = platform.context(.system("test"), surface: .job)
        let provider = try #require(PaymentProvider.of(context, platform.database))
        let sandbox = StripeSandbox(database: platform.database, context: context)
        let teacher = try await platform.teacher()
        let student = try await platform.person(.student)
        let studentID = try TestPlatform.id(student)
        let customer = try await provider.made(.createCustomer(user: studentID), "customer_\(studentID)").id
        let account = try await provider.made(
            .createAccount(instructor: teacher.profile), "account_\(teacher.profile)"
        ).id
        try await sandbox.completeOnboarding(account)
        let now = platform.now
        try await platform.execute(
            """
            INSERT INTO stripe_customers (id, user_id, stripe_customer_id, created_at)
            VALUES (\(platform.newID()), \(studentID), \(customer), \(now))
            """,
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(platform.newID()), \(teacher.profile), \(account), \(true), \(now), \(now))
            """)
        return PaymentWorld(
            platform: platform, provider: provider, sandbox: sandbox, teacher: teacher, student: student,
            studentID: studentID, account: account, customer: customer)
    }

    /// A lesson of an hour at $100 that begins so long from now, its card charged a day before.
    func lesson(
        in wait: Duration, card: String? = "pm_card_visa", status: BookingStatus = .confirmed,
        payment: String = "scheduled"
    ) async throws -> ULID {
        let (id, now, start) = (platform.newID(), platform.now, platform.now + wait)
        let due: Instant? = payment == "scheduled" ? start - .seconds(86_400) : nil
        try await platform.execute(
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, updated_at, \
            booking_start_utc, booking_end_utc, service_name, hourly_rate_cents, total_price_cents, \
            duration_minutes) VALUES (\(id), \(studentID), \(teacher.user), \(status), \(payment), \(now), \
            \(now), \(start), \(start + Self.hour), 'Guitar', 10000, 10000, 60)
            """,
            """
            INSERT INTO booking_payments (booking_id, payment_method_id, auth_scheduled_for, updated_at)
            VALUES (\(id), \(card), \(due), \(now))
            """)
        return id
    }

    /// One whose payment was authorized a day before; it begins in a day from now.
    func authorizedLesson(card: String = "pm_card_visa") async throws -> ULID {
        let id = try await lesson(in: Self.hour * 24, card: card)
        try await platform.runJob(ProcessScheduledAuthorizations())
        let booking = try await booking(id)
        #expect(booking.paymentStatus == .authorized)
        return id
    }

    /// One that ended a day ago and was charged.
    func settledLesson() async throws -> ULID {
        let id = try await authorizedLesson()
        platform.advance(by: Self.hour * 50)
        try await platform.runJob(CaptureCompletedLessons())
        #expect(try await booking(id).paymentStatus == .settled)
        return id
    }

    func booking(_ id: ULID) async throws -> Booking {
        try #require(try await platform.database.read { try Booking.find(id, $0) })
    }

    func payment(_ id: ULID) async throws -> BookingPayment {
        try #require(try await platform.database.read { try BookingPayment.of(id, $0) })
    }

    func balances(_ id: ULID) async throws -> [LedgerAccount: Int] {
        try await platform.database.read { try Ledger.balances(booking: id, $0) }.filter { $0.value != 0 }
    }

    func totals(_ id: ULID) async throws -> [MovementKind: Int] {
        try await platform.database.read { try Ledger.totals(booking: id, $0) }
    }

    /// Names of what happened to a booking's payment, oldest first.
    func events(_ id: ULID) async throws -> [String] {
        try await platform.database.read {
            try $0.values("SELECT event_type FROM payment_events WHERE booking_id = \(id) ORDER BY id")
        }
    }

    /// What the last run of a job counted.
    func summary(_ name: String) async throws -> String {
        try await platform.value(
            """
            SELECT result_summary FROM task_executions WHERE task_name = \(name)
            ORDER BY finished_at DESC, id DESC LIMIT 1
            """) ?? ""
    }

    /// A plan carried out here and now.
    func carryOut(
        _ booking: ULID, _ kind: MoneyPlanKind, _ steps: [MoneyPlan.Step]
    ) async throws {
        try await platform.act { tx, context in
            var found = try #require(try Booking.lock(booking, tx))
            try MoneyPlan.start(kind, steps, &found, tx, context)
        }
        try await platform.drainJobs()
    }
}

extension PaymentProvider {
    /// Sends what has to succeed.
    func done(_ request: PaymentRequest, _ key: String) async throws -> PaymentObject {
        let outcome = try await send(request, key)
        guard case .done(let object) = outcome else { throw Failure(.internal, "\(request): \(outcome)") }
        return object
    }
}
