import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct StripeHandlerTests {
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.givenBookings()
            try await platform.givenInstructors()
            try await body(platform)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCapturedPaymentConfirmsItsBookingAndIsAudited(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let id = try await platform.deliver(
                stripe: StripeEvents.paymentIntent("evt_1", "succeeded", "succeeded", at: 1)
            ).id
            try await platform.finishJobs()
            #expect(try await platform.rows("SELECT status FROM payment_intents") == ["status=succeeded"])
            #expect(try await platform.rows("SELECT status FROM bookings") == ["status=CONFIRMED"])
            #expect(
                try await platform.rows("SELECT action, resource_type, status FROM audit_logs ORDER BY id")
                    == [
                        "action=payment.capture resource_type=payment status=success",
                        "action=booking.status_change resource_type=booking status=success",
                        "action=conversation.create resource_type=conversation status=success",
                        "action=message.send resource_type=message status=success",
                    ])
            #expect(
                try await platform.rows(
                    "SELECT related_entity_type AS t, related_entity_id AS i FROM webhook_events WHERE id = \(id)"
                )
                    == ["t=payment i=\(TestPlatform.payment)"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFailedAuthorisationIsAuditedAsFailed(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(
                stripe: StripeEvents.paymentIntent("evt_1", "processing", "processing", at: 1))
            try await platform.finishJobs()
            try await platform.deliver(
                stripe: StripeEvents.paymentIntent(
                    "evt_2", "payment_failed", "requires_payment_method", at: 2))
            try await platform.finishJobs()
            #expect(
                try await platform.rows(
                    "SELECT action, status FROM audit_logs WHERE status <> 'success'")
                    == ["action=payment.authorize status=failed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPartialRefundIsNotAFullOne(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(stripe: StripeEvents.refund("evt_1", total: 2_000, at: 1))
            try await platform.finishJobs()
            #expect(
                try await platform.rows("SELECT status, amount_refunded FROM payment_intents")
                    == ["status=partially_refunded amount_refunded=2000"])
            try await platform.deliver(stripe: StripeEvents.refund("evt_2", total: 5_000, at: 2))
            try await platform.finishJobs()
            #expect(
                try await platform.rows("SELECT status, amount_refunded FROM payment_intents")
                    == ["status=refunded amount_refunded=5000"])
            #expect(try await platform.count("audit_logs", where: "action = 'payment.refund'") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefundOfMoreThanWasPaidIsADeadLetter(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(stripe: StripeEvents.refund("evt_1", total: 5_001, at: 1))
            try await platform.finishJobs()
            #expect(try await platform.rows("SELECT status FROM webhook_events") == ["status=dead_letter"])
            #expect(
                try await platform.rows("SELECT amount_refunded FROM payment_intents") == [
                    "amount_refunded=0"
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func thePayoutsAccountIsTheEventsAccount(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(stripe: StripeEvents.payout("evt_1", "paid", account: "acct_1", at: 1))
            try await platform.deliver(stripe: StripeEvents.payout("evt_2", "failed", account: nil, at: 2))
            try await platform.deliver(
                stripe: StripeEvents.payout("evt_3", "failed", account: "acct_9", at: 3))
            try await platform.finishJobs()
            #expect(
                try await platform.rows(
                    "SELECT stripe_account_id, status, amount_cents FROM instructor_payout_events")
                    == ["stripe_account_id=acct_1 status=paid amount_cents=12300"])
            #expect(
                try await platform.rows("SELECT event_id, status FROM webhook_events ORDER BY event_id")
                    == [
                        "event_id=evt_1 status=processed", "event_id=evt_2 status=unmatched",
                        "event_id=evt_3 status=unmatched",
                    ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func onboardingNeverRegressesOnAPartialEvent(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let states: [JSONObject] = [
                ["id": "acct_1", "charges_enabled": true, "details_submitted": true],
                ["id": "acct_1", "charges_enabled": false], ["id": "acct_1"],
            ]
            for (index, object) in states.enumerated() {
                try await platform.deliver(
                    stripe: StripeEvents.event(
                        "evt_\(index)", "account.updated", at: index, account: "acct_1", object))
                try await platform.finishJobs()
            }
            #expect(
                try await platform.count("stripe_connected_accounts", where: "onboarding_completed = \(true)")
                    == 1)
            #expect(
                try await platform.count("audit_logs", where: "action = 'instructor.payout_account_update'")
                    == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventThatComesBeforeItsRowIsAppliedWhenTheRowIsThere(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.deliver(
                stripe: StripeEvents.paymentIntent("evt_1", "succeeded", "succeeded", at: 1))
            try await platform.drainJobs()
            #expect(try await platform.rows("SELECT status FROM webhook_events") == ["status=unmatched"])
            try await platform.givenBookings()
            try await platform.finishJobs()
            #expect(try await platform.rows("SELECT status FROM webhook_events") == ["status=processed"])
            #expect(try await platform.rows("SELECT status FROM payment_intents") == ["status=succeeded"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTypeNobodyHandlesIsProcessedAndChangesNothing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let tables = TestPlatform.recordTables.union([
                "webhook_events", "webhook_attempts", "jobs", "task_executions",
            ])
            let before = try await platform.tableHash(without: tables)
            try await platform.deliver(
                stripe: StripeEvents.event("evt_1", "customer.subscription.created", at: 1, ["id": "sub_1"]))
            try await platform.finishJobs()
            #expect(try await platform.rows("SELECT status FROM webhook_events") == ["status=processed"])
            #expect(try await platform.tableHash(without: tables) == before)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEventWithoutItsObjectIsADeadLetterThatNamesWhatIsMissing(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            try await platform.deliver(
                stripe: StripeEvents.event("evt_1", "charge.dispute.created", at: 1, ["id": "dp_1"]))
            try await platform.finishJobs()
            #expect(
                try await platform.rows("SELECT status, processing_error AS e FROM webhook_events")
                    == ["status=dead_letter e=data.object.status is missing in charge.dispute.created."])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theDatabaseRefusesALiveInstructorWithoutAPassedCheck(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            await #expect(throws: StorageError.self) {
                try await platform.execute("UPDATE instructor_profiles SET is_live = \(true)")
            }
        }
    }
}
