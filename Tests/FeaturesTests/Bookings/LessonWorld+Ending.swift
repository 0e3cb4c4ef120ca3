import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

// Lessons that are booked and paid for, and where their money is afterwards.
extension LessonWorld {
    static let hour = Duration.seconds(3_600)

    /// A world whose teacher can be paid. A lesson of it costs 100 dollars and the
    /// student's fee of 12; the teacher gets 85 of it.
    static func with(_ dialect: Dialect, _ body: (LessonWorld) async throws -> Void) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await world.connect()
            try await body(world)
        }
    }

    /// Ten o'clock, a week from now: when the lessons of these tests begin.
    var start: Instant { get throws { try moment("10:00") } }

    /// Sets the clock to so long before ten o'clock, and a few microseconds.
    func left(_ duration: Duration, _ microseconds: Int64 = 0) throws {
        let instant = try start - duration
        // Less time is left when the clock is further.
        platform.clock.set(Instant(microseconds: instant.microseconds - microseconds))
    }

    /// A confirmed lesson, its card charged a day ahead; the clock stands two days ahead.
    func scheduled(card name: String = "pm_card_visa", at time: String = "10:00") async throws -> ULID {
        let id = try await book(arguments(at: time))
        try await confirm(id, try await card(name, for: id), save: true)
        try left(Self.hour * 48)
        return id
    }

    /// The same, authorized already.
    func authorized(card name: String = "pm_card_visa", at time: String = "10:00") async throws -> ULID {
        let id = try await scheduled(card: name, at: time)
        try await change(id) { booking, tx, context in
            try MoneyPlan.start(.authorize, [.init(.authorize, "auth_\(id)_1")], &booking, tx, context)
        }
        try await platform.drainJobs()
        #expect(try await booking(id).paymentStatus == .authorized)
        return id
    }

    /// The lesson took place and was paid for.
    func captured(card name: String = "pm_card_visa", complete: Bool = true) async throws -> ULID {
        let id = try await authorized(card: name)
        if complete { try left(.zero - Self.hour * 25) }
        try await change(id) { booking, tx, context in
            if complete { try booking.move(to: .completed, at: booking.end, tx, context) }
            let intent = try BookingPayment.of(id, tx)?.intentID ?? ""
            try MoneyPlan.start(
                .capture, [.init(.capture, "capture_\(id)"), .init(.topUp, "topup:\(intent)")], &booking,
                tx, context)
        }
        try await platform.drainJobs()
        #expect(try await booking(id).paymentStatus == .settled)
        return id
    }

    /// Changes a booking as an operation does, under its lock.
    func change(
        _ id: ULID, _ body: @escaping @Sendable (inout Booking, Transaction, Context) throws -> Void
    ) async throws {
        try await platform.act { tx, context in
            guard var booking = try Booking.lock(id, tx) else { throw Failure(.notFound, "no booking") }
            try body(&booking, tx, context)
        }
    }

    /// Credits that the platform gave the student.
    func give(credit cents: Int) async throws {
        let student = studentID
        try await platform.act { tx, context in
            let id = context.newID()
            try tx.run(
                """
                INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, status, created_at)
                VALUES (\(id), \(student), \(cents), 'A gift', 'legacy', 'available', \(context.now))
                """)
            try Ledger.post(
                [.init(.creditGranted, cents)], .init(student: student), key: "gift_\(id)", tx, context)
        }
    }

    /// Cancels, and lets the money follow.
    @discardableResult
    func cancel(_ id: ULID, by actor: Actor) async throws -> JSONValue {
        let view = try await platform.call(
            "booking_cancel", ["id": .string(id.description), "reason": "It rains"], as: actor)
        try await platform.drainJobs()
        return view
    }

    /// What a booking came to.
    func expect(
        _ id: ULID, _ status: BookingStatus, _ payment: PaymentStatus?, _ outcome: SettlementOutcome?,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await booking(id)
        #expect(found.status == status, sourceLocation: location)
        #expect(found.paymentStatus == payment, sourceLocation: location)
        #expect(found.settlementOutcome == outcome, sourceLocation: location)
    }

    /// Where the money of this world is, to the cent: what the card paid, what the teacher
    /// has, what the platform keeps, and what the student may still spend. The provider's
    /// objects, the ledger and the credits have to agree, and nobody owes anybody.
    ///
    /// - Parameter gifts: of credits, by the platform.
    func expectMoney(
        card: Int, teacher: Int, platform fee: Int, credits: Int = 0, gifts: Int = 0,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(card + gifts == teacher + fee + credits, "the test itself", sourceLocation: location)
        let (charged, paidOut, balances, spendable) = try await platform.database.read { db in
            (
                try db.value(
                    """
                    SELECT CAST(COALESCE(SUM(amount - returned), 0) AS BIGINT) FROM stripe_sandbox_objects
                    WHERE kind = 'charge' AND body LIKE '%"captured":true%'
                    """, as: Int.self),
                try db.value(
                    """
                    SELECT CAST(COALESCE(SUM(amount - returned), 0) AS BIGINT) FROM stripe_sandbox_objects
                    WHERE kind = 'transfer'
                    """, as: Int.self),
                try Ledger.trialBalance(db),
                try db.value(
                    """
                    SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) FROM platform_credits
                    WHERE status IN ('available', 'reserved', 'frozen')
                    """, as: Int.self)
            )
        }
        #expect(charged == card, "the card at the provider", sourceLocation: location)
        #expect(paidOut == teacher, "the teacher's account at the provider", sourceLocation: location)
        #expect(spendable == credits, "the student's credits", sourceLocation: location)
        let expected: [LedgerAccount: Int] = [
            .providerClearing: card - teacher, .platformFee: -fee, .creditsLiability: -credits,
            .promotions: gifts,
        ]
        for account in LedgerAccount.allCases {
            #expect(
                balances[account] ?? 0 == expected[account] ?? 0, "\(account.rawValue) in the ledger",
                sourceLocation: location)
        }
    }

    /// How often the provider did something.
    func objects(_ kind: String) async throws -> Int {
        try await platform.count("stripe_sandbox_objects", where: "kind = \(kind)")
    }

    /// The built-in provider as the application sees it.
    var provider: PaymentProvider {
        get throws {
            try PaymentProvider.required(platform.context(.system("test"), surface: .job), platform.database)
        }
    }

    /// Somebody who may refund.
    func administrator() async throws -> Actor { try await platform.person(.admin, firstName: "Ada") }
}
