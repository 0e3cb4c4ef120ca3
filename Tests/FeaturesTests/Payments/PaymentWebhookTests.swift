import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What the provider tells us beyond what our own calls did.
@Suite struct PaymentWebhookTests {
    private static let hour = PaymentWorld.hour

    private static func refund(_ world: PaymentWorld, _ id: ULID, _ cents: Int, _ key: String) async throws {
        let intent = try #require(try await world.payment(id).intentID)
        _ = try await world.provider.made(
            .refund(
                .init(intent: intent, amount: cents, reason: .requestedByCustomer, reversesTransfer: false)),
            key)
        try await world.platform.drainJobs()
    }

    @Test(arguments: TestDatabase.available)
    func anEventThatIsFasterThanOurOwnAnswerIsTriedAgain(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.lesson(in: Self.hour * 24)
            let plan = try await world.platform.act { tx, context in
                var booking = try #require(try Booking.lock(id, tx))
                return try MoneyPlan.start(
                    .authorize, [.init(.authorize, "auth_\(id)_1")], &booking, runs: false, tx, context)
            }
            var event = StripeEvents.paymentIntent(
                "evt_fast", "amount_capturable_updated", "requires_capture", intent: "pi_new", at: 1)
            guard case .object(var body) = event, case .object(var data)? = body["data"],
                case .object(var object)? = data["object"]
            else { return }
            object["metadata"] = ["booking_id": .string(id.description)]
            data["object"] = .object(object)
            body["data"] = .object(data)
            event = .object(body)
            try await world.platform.deliver(stripe: event)
            try await world.platform.drainJobs()
            #expect(
                try await world.platform.rows("SELECT status FROM webhook_events WHERE event_id = 'evt_fast'")
                    == ["status=failed"], "not unmatched: it may be retried for longer")
            try await world.platform.execute(
                "UPDATE money_plans SET state = 'done' WHERE id = \(plan)",
                """
                INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, status, status_at, \
                created_at, updated_at) VALUES (\(world.platform.newID()), \(id), 'pi_new', 11200, \
                'processing', 0, 0, 0)
                """)
            try await world.platform.finishJobs()
            #expect(
                try await world.platform.rows("SELECT status FROM webhook_events WHERE event_id = 'evt_fast'")
                    == ["status=processed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefundMadeAtTheProviderComesOutOfTheFee(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.settledLesson()
            try await Self.refund(world, id, 1_000, "dashboard-1")
            var totals = try await world.totals(id)
            #expect(totals[.cardRefund] == 1_000 && totals[.refundOfFee] == 1_000)
            #expect(try await world.payment(id).refundedCents == 1_000)
            #expect(try await world.booking(id).settlementOutcome == .lessonCompletedFullPayout)
            #expect(try await world.events(id).last == "outside_refund")
            #expect(
                try await world.balances(id) == [.providerClearing: 1_700, .platformFee: -1_700])
            try await Self.refund(world, id, 10_200, "dashboard-2")
            totals = try await world.totals(id)
            #expect(totals[.cardRefund] == 11_200 && totals[.refundOfFee] == 11_200)
            #expect(try await world.booking(id).settlementOutcome == .adminRefund)
            #expect(
                try await world.balances(id) == [.providerClearing: -8_500, .platformFee: 8_500],
                "the instructor keeps what they were paid")
            #expect(try await world.platform.audited("payment.refund") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func ourOwnRefundIsNotTakenForOneFromOutside(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.settledLesson()
            try await world.carryOut(
                id, .adminRefund, [.init(.refund, "admin_refund_\(id)_1000", cents: 1_000)])
            try await world.platform.drainJobs()
            #expect(try await world.totals(id)[.cardRefund] == 1_000)
            #expect(try await !world.events(id).contains("outside_refund"))
            #expect(
                try await world.platform.count(
                    "webhook_events", where: "event_type = 'charge.refunded' AND status = 'processed'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAuthorizationThatTheProviderGaveUpIsNoLongerOne(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson()
            let intent = try #require(try await world.payment(id).intentID)
            _ = try await world.provider.made(.cancel(intent: intent), "dashboard-cancel")
            try await world.platform.drainJobs()
            #expect(try await world.booking(id).paymentStatus == .methodRequired)
            #expect(try await world.events(id).last == "auth_expired")
            try await world.platform.runJob(RetryFailedAuthorizations())
            #expect(try await world.booking(id).paymentStatus == .authorized)
            #expect(try await world.payment(id).intentID != intent)
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyEventIsFoundFromWhatItIsAbout(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.settledLesson()
            try await world.platform.drainJobs()
            let rows = try await world.platform.rows(
                """
                SELECT event_type AS e, related_entity_type AS t FROM webhook_events
                WHERE event_type IN ('charge.succeeded', 'charge.captured', 'transfer.created',
                'payment_intent.succeeded') ORDER BY event_type
                """)
            #expect(
                rows == [
                    "e=charge.captured t=payment", "e=charge.succeeded t=payment",
                    "e=payment_intent.succeeded t=payment", "e=transfer.created t=booking",
                ])
            let booking = try await world.platform.value(
                "SELECT related_entity_id FROM webhook_events WHERE event_type = 'transfer.created'",
                as: String.self)
            #expect(booking == id.description)
            #expect(try await world.platform.count("webhook_events", where: "status <> 'processed'") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorHearsOfAPayoutOnce(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            for (number, status) in ["created", "paid", "paid", "failed"].enumerated() {
                try await world.platform.deliver(
                    stripe: StripeEvents.payout("evt_\(number)", status, account: world.account, at: number))
                try await world.platform.drainJobs()
            }
            #expect(
                try await world.platform.rows(
                    "SELECT type, body FROM notifications WHERE user_id = \(world.teacher.user) ORDER BY id")
                    == [
                        "type=payout.paid body=$123.00 was paid to your bank account.",
                        "type=payout.failed body=$123.00 could not be paid to your bank account. "
                            + "Please check it with the payment provider.",
                    ])
        }
    }
}
