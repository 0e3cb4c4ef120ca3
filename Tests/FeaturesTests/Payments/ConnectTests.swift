import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The instructor's account at the provider, their identity, and students' cards.
@Suite struct ConnectTests {
    /// A platform without an account for the instructor.
    private static func fresh(
        _ dialect: Dialect, _ body: (TestPlatform, StripeSandbox, Teacher) async throws -> Void
    ) async throws {
        let loop = Loopback()
        try await TestPlatform.with(dialect, clients: loop.clients) { platform in
            loop.use(platform)
            defer { loop.use(nil) }
            let context = platform.context(.system("test"), surface: .job)
            let sandbox = StripeSandbox(database: platform.database, context: context)
            try await body(platform, sandbox, try await platform.teacher())
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorGetsOneAccountAndMoneyCanBePaidToIt(dialect: Dialect) async throws {
        try await Self.fresh(dialect) { platform, sandbox, teacher in
            let me = teacher.actor
            var status = try await platform.call("connect_status", as: me)
            #expect(status["has_account"] == false && status["onboarding_completed"] == false)
            #expect(try await platform.failure("connect_dashboard", as: me)?.reason == "connect_not_ready")
            let begun = try await platform.call("connect_onboard", as: me)
            let account = try #require(begun["account_id"]?.stringValue)
            #expect(begun["onboarding_url"]?.stringValue?.isEmpty == false)
            let again = try await platform.call("connect_onboard", as: me)
            #expect(again["account_id"]?.stringValue == account, "it goes on with the same")
            #expect(try await platform.count("stripe_connected_accounts") == 1)
            status = try await platform.call("connect_status", as: me)
            #expect(status["has_account"] == true && status["onboarding_completed"] == false)
            try await sandbox.completeOnboarding(account)
            status = try await platform.call("connect_status", as: me)
            #expect(status["onboarding_completed"] == true && status["charges_enabled"] == true)
            #expect(
                try await platform.count("stripe_connected_accounts", where: "onboarding_completed") == 1,
                "what was learned is kept, though the event has not arrived")
            let link = try await platform.call("connect_dashboard", as: me)
            #expect(link["dashboard_url"]?.stringValue?.isEmpty == false)
            let schedule = try await platform.call("connect_payout_schedule", as: me)
            #expect(schedule["interval"] == "weekly" && schedule["weekly_anchor"] == "tuesday")
            let done = try await platform.call("connect_onboard", as: me)
            #expect(done["already_onboarded"] == true && done["onboarding_url"] == .null)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPayoutNowIsMadeOnceAndFailsHonestly(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            _ = try await world.settledLesson()
            let asked = try await world.platform.call(
                "connect_instant_payout", ["amount_cents": 5_000], as: world.teacher.actor)
            #expect(asked["state"] == "pending")
            #expect(
                try await world.platform.failure(
                    "connect_instant_payout", ["amount_cents": 1_000], as: world.teacher.actor)?.reason
                    == "payout_in_progress")
            try await world.platform.drainJobs()
            #expect(
                try await world.platform.rows("SELECT state, amount_cents AS c FROM instant_payouts")
                    == ["state=paid c=5000"])
            _ = try await world.platform.call(
                "connect_instant_payout", ["amount_cents": 900_000], as: world.teacher.actor)
            try await world.platform.drainJobs()
            let failed = try await world.platform.rows(
                "SELECT state, payout_id FROM instant_payouts WHERE amount_cents = 900000")
            #expect(failed == ["state=failed payout_id=NULL"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theIdentityProviderDecidesAndAnotherCheckFollowsOneThatCameToNothing(dialect: Dialect)
        async throws
    {
        try await Self.fresh(dialect) { platform, sandbox, teacher in
            let me = teacher.actor
            let none = try await platform.call("identity_refresh", as: me)
            #expect(none["status"] == "none" && none["verified"] == false)
            let begun = try await platform.call("identity_session", as: me)
            let first = try #require(begun["session_id"]?.stringValue)
            #expect(begun["status"] == "requires_input")
            let same = try await platform.call("identity_session", as: me)
            #expect(same["session_id"]?.stringValue == first)
            try await sandbox.verifyIdentity(first)
            let refreshed = try await platform.call("identity_refresh", as: me)
            #expect(refreshed["status"] == "verified" && refreshed["verified"] == true)
            #expect(
                try await platform.count("instructor_profiles", where: "identity_verified_at IS NOT NULL")
                    == 1)
            #expect(
                try await platform.count(
                    "instructor_lifecycle_events", where: "event_type = 'identity_verified'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStudentKeepsCardsOfTheirOwn(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let (platform, me) = (world.platform, world.student)
            let first = try await platform.call(
                "payment_method_keep", ["payment_method_id": "pm_card_visa"], as: me)
            #expect(first["is_default"] == true && first["last4"] == "4242")
            let second = try await platform.call(
                "payment_method_keep", ["payment_method_id": "pm_card_mastercard", "set_as_default": true],
                as: me)
            #expect(second["is_default"] == true)
            var list = try await platform.call("payment_method_list", as: me)
            #expect(
                list["payment_methods"]?.arrayValue?.map { $0["is_default"]?.boolValue } == [true, false])
            let other = try await platform.person(.student)
            let id = second["id"] ?? .null
            #expect(
                try await platform.failure("payment_method_remove", ["id": id], as: other)?.reason
                    == "payment_method_not_found")
            #expect(
                try await platform.failure(
                    "payment_method_keep", ["payment_method_id": second["payment_method_id"] ?? .null],
                    as: other)?.reason == "payment_method_not_found", "somebody else's card")
            _ = try await platform.call("payment_method_remove", ["id": id], as: me)
            try await platform.drainJobs()
            list = try await platform.call("payment_method_list", as: me)
            #expect(list["payment_methods"]?.arrayValue?.count == 1)
            #expect(list["payment_methods"]?[0]?["is_default"] == true, "the other one follows")
            let removed = try await world.provider.retrieve(
                .paymentMethod, second["payment_method_id"]?.stringValue ?? "")
            guard case .done(let object) = removed else { return #expect(Bool(false), "\(removed)") }
            #expect(object?.customer == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCardThatALessonIsPaidWithStays(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let card = try await world.platform.call(
                "payment_method_keep", ["payment_method_id": "pm_card_visa"], as: world.student)
            let lesson = try await world.lesson(
                in: PaymentWorld.hour * 48, card: card["payment_method_id"]?.stringValue)
            let remove = {
                try await world.platform.failure(
                    "payment_method_remove", ["id": card["id"] ?? .null], as: world.student)
            }
            #expect(try await remove()?.reason == "payment_method_in_use")
            try await world.platform.execute(
                "UPDATE bookings SET status = 'CANCELLED', payment_status = 'settled' WHERE id = \(lesson)")
            #expect(try await remove() == nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReferralPayoutIsTransferredOnceAndBooked(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let referred = try await world.platform.newUser(.instructor)
            let (referrer, now) = (world.teacher.user, world.platform.now)
            let payout = try await world.platform.act { tx, context in
                let code = try ReferralCode.ensure(of: referrer, tx, context)
                try tx.run(
                    """
                    INSERT INTO referral_attributions (id, code_id, referred_user_id, referrer_user_id, source, ts, \
                    guest_first_seen) VALUES (\(context.newID()), \(code.id), \(referred), \(referrer), 'test', \
                    \(now), \(now))
                    """)
                return try InstructorReferral.firstLessonCompleted(
                    instructor: referred, booking: context.newID(), tx, context)
            }
            let id = try #require(payout)
            try await world.platform.drainJobs()
            let row = try #require(
                try await world.platform.database.read { try InstructorReferralPayout.find(id, $0) })
            #expect(row.status == .completed && row.transferID != nil)
            #expect(
                try await world.platform.rows(
                    "SELECT kind, amount_cents AS c, reference AS r FROM ledger_movements")
                    == ["kind=referral_payout c=\(row.amountCents) r=\(row.transferID ?? "")"])
            let keys = try await world.platform.database.read {
                try $0.values(
                    "SELECT idempotency_key FROM stripe_sandbox_calls WHERE idempotency_key LIKE 'instructor_%'",
                    as: String.self)
            }
            #expect(keys == ["instructor_referral_\(id)"])
        }
    }
}
