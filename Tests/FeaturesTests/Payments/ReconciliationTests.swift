import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Our books against the provider's.
@Suite struct ReconciliationTests {
    private static let hour = PaymentWorld.hour

    /// Compares all there is and gives what differs, as `kind object amount`.
    @discardableResult
    private static func reconcile(_ world: PaymentWorld) async throws -> [String] {
        world.platform.advance(by: hour)
        _ = try await world.platform.call("payments_reconcile", ["since_hours": 720])
        try await world.platform.drainJobs()
        let answer = try await world.platform.call("payments_reconciliation", ["include_resolved": true])
        #expect(answer["last_run"]?["state"] == "done", "\(answer["last_run"] ?? .null)")
        let run = answer["last_run"]?["id"]
        return (answer["differences"]?.arrayValue ?? []).filter { $0["run_id"] == run }.map {
            "\($0["kind"]?.stringValue ?? "") \($0["object_id"]?.stringValue ?? "") "
                + "\($0["amount_cents"]?.intValue ?? 0)"
        }.sorted()
    }

    /// A refund made at the provider; its events are lost on their way, or were never made.
    private static func outsideRefund(
        _ world: PaymentWorld, _ lesson: ULID, _ cents: Int, isTold: Bool
    ) async throws -> String {
        let intent = try #require(try await world.payment(lesson).intentID)
        _ = try await world.provider.made(
            .refund(
                .init(intent: intent, amount: cents, reason: .requestedByCustomer, reversesTransfer: false)),
            "dashboard_\(lesson)")
        let now = world.platform.now
        try await world.platform.execute(
            isTold
                ? "UPDATE stripe_sandbox_events SET delivered_at = \(now) WHERE delivered_at IS NULL"
                : "DELETE FROM stripe_sandbox_events WHERE delivered_at IS NULL")
        try await world.platform.drainJobs()
        return intent
    }

    private static func event(_ world: PaymentWorld, _ type: String, of lesson: ULID) async throws -> String {
        let intent = try #require(try await world.payment(lesson).intentID)
        return try #require(
            try await world.platform.value(
                """
                SELECT id FROM stripe_sandbox_events WHERE event_type = \(type)
                AND payload LIKE \("%\(intent)%")
                """, as: String.self))
    }

    @Test(arguments: TestDatabase.available)
    func booksThatAgreeHaveNoDifference(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let first = try await world.settledLesson()
            let second = try await world.settledLesson()
            _ = try await world.settledLesson()
            _ = try await world.authorizedLesson()
            try await world.carryOut(
                first, .adminRefund, [.init(.refund, "admin_refund_\(first)_5000", cents: 5_000)])
            // What the provider itself gave back is known by its event.
            _ = try await world.provider.made(
                .refund(
                    .init(
                        intent: try #require(try await world.payment(second).intentID), amount: 300,
                        reason: .requestedByCustomer, reversesTransfer: false)), "dashboard")
            try await world.platform.drainJobs()
            _ = try await world.sandbox.payOut(world.account)
            try await world.platform.drainJobs()
            #expect(try await Self.reconcile(world) == [])
            let run = try await world.platform.call("payments_reconciliation")["last_run"]
            #expect((run?["compared"]?.intValue ?? 0) > 20 && run?["found"] == 0)
            #expect(try await world.platform.audited("payment.reconcile") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func exactlyWhatWasPlantedIsReported(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            var lessons: [ULID] = []
            for _ in 0..<6 { lessons.append(try await world.settledLesson()) }
            // A missing event.
            _ = try await Self.outsideRefund(world, lessons[0], 1_000, isTold: true)
            let missing = try await Self.event(world, "charge.refunded", of: lessons[0])
            // An event that was never generated.
            let silent = try await Self.outsideRefund(world, lessons[1], 700, isTold: false)
            // A doubled one.
            let original = try await Self.event(world, "payment_intent.succeeded", of: lessons[2])
            let text: String = try #require(
                try await world.platform.value(
                    "SELECT payload FROM stripe_sandbox_events WHERE id = \(original)"))
            let copy = original + "copy"
            let payload = text.replacing(original, with: copy)
            try await world.platform.execute(
                """
                INSERT INTO stripe_sandbox_events (id, event_type, account, payload, created_at)
                SELECT \(copy), event_type, account, \(payload), created_at FROM stripe_sandbox_events
                WHERE id = \(original)
                """)
            try await world.platform.deliver(stripe: JSONValue(parsing: payload))
            // One cent.
            let intent = try #require(try await world.payment(lessons[3]).intentID)
            try await world.platform.execute(
                """
                UPDATE stripe_sandbox_objects
                SET body = REPLACE(body, '"amount_received":11200', '"amount_received":11201')
                WHERE id = \(intent)
                """)
            // A late one.
            let late = try await Self.event(world, "payment_intent.succeeded", of: lessons[4])
            try await world.platform.drainJobs()
            let received = world.platform.now
            try await world.platform.execute(
                "UPDATE webhook_events SET received_at = \(received) WHERE event_id IN (\(late), \(copy))",
                """
                UPDATE webhook_events SET received_at = (SELECT o.received_at FROM webhook_events o
                WHERE o.event_id = \(original)) WHERE event_id = \(copy)
                """)
            let expected = [
                "captured_amount \(intent) 1", "event_doubled", "event_late \(late) 11200",
                "event_missing \(missing)", "refunded_amount \(silent) 700",
            ]
            let found = try await Self.reconcile(world)
            #expect(found.count == expected.count, "\(found)")
            for (line, prefix) in zip(found, expected) { #expect(line.hasPrefix(prefix), "\(found)") }
            let marked = try await world.platform.rows(
                "SELECT origin, status FROM webhook_events WHERE event_id = \(missing)")
            #expect(marked == ["origin=reconciled status=processed"])
            #expect(try await world.totals(lessons[0])[.cardRefund] == 1_000, "it has taken effect")
            // Nothing is found twice, and what was put right is resolved.
            #expect(try await Self.reconcile(world) == [])
            let open = try await world.platform.call("payments_reconciliation")
            #expect(open["open_count"] == 2 && open["last_run"]?["resolved"] == 1)
            // The event arrives after all: it is no news.
            let body: String = try #require(
                try await world.platform.value(
                    "SELECT payload FROM stripe_sandbox_events WHERE id = \(missing)"))
            let receipt = try await world.platform.deliver(stripe: JSONValue(parsing: body))
            guard case .duplicate = receipt else { return #expect(Bool(false), "\(receipt)") }
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatOneSideAloneKnowsIsReported(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let lesson = try await world.settledLesson()
            let now = world.platform.now
            // A payment of theirs that we do not know.
            let theirs = try await world.provider.made(
                .authorize(
                    .init(
                        booking: world.platform.newID(), amount: 5_000, customer: world.customer,
                        paymentMethod: "pm_card_visa", destination: world.account, transferAmount: 4_000,
                        isOffSession: true)), "elsewhere")
            // Payments, transfers and events of ours that they do not know.
            try await world.platform.execute(
                """
                INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, status, status_at, \
                created_at, updated_at) VALUES (\(world.platform.newID()), \(lesson), 'pi_ours', 4200, \
                'requires_capture', 0, \(now), \(now))
                """)
            try await world.platform.act { tx, context in
                try Ledger.post(
                    [.init(.instructorTransfer, 77)], .init(booking: lesson), key: "planted",
                    reference: "tr_ours", tx, context)
            }
            try await world.platform.deliver(
                stripe: StripeEvents.event("evt_ours", "payment_intent.processing", at: 1, ["id": "pi_9"]))
            try await world.platform.drainJobs()
            #expect(
                try await Self.reconcile(world) == [
                    "event_unknown_there evt_ours 0", "payment_unknown_here \(theirs.id) 5000",
                    "payment_unknown_there pi_ours 4200", "transfer_unknown_there tr_ours 77",
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTransferThatWasReversedAtTheProviderIsReportedUntilItIsBooked(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let lesson = try await world.settledLesson()
            let transfer = try #require(try await world.payment(lesson).transferID)
            _ = try await world.provider.made(.reverse(transfer: transfer, amount: 500), "dashboard")
            try await world.platform.drainJobs()
            #expect(try await Self.reconcile(world) == ["reversed_amount booking:\(lesson) 500"])
            try await world.platform.act { tx, context in
                try Ledger.post(
                    [.init(.transferReversal, 500)], .init(booking: lesson), key: "booked", tx, context)
            }
            #expect(try await Self.reconcile(world) == [])
            let answer = try await world.platform.call("payments_reconciliation")
            #expect(answer["open_count"] == 0 && answer["last_run"]?["resolved"] == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMovementThatWasBookedTwiceIsReported(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let lesson = try await world.settledLesson()
            let intent = try #require(try await world.payment(lesson).intentID)
            try await world.platform.act { tx, context in
                try Ledger.post(
                    [.init(.cardPayment, 11_200)], .init(booking: lesson), key: "doubled", reference: intent,
                    tx, context)
            }
            #expect(try await Self.reconcile(world) == ["captured_amount \(intent) -11200"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPayoutWhoseEventWasLostIsFetched(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            _ = try await world.settledLesson()
            _ = try #require(try await world.sandbox.payOut(world.account))
            let now = world.platform.now
            try await world.platform.execute(
                "UPDATE stripe_sandbox_events SET delivered_at = \(now) WHERE delivered_at IS NULL")
            try await world.platform.drainJobs()
            #expect(try await world.platform.count("instructor_payout_events") == 0)
            let found = try await Self.reconcile(world)
            #expect(!found.isEmpty && found.allSatisfy { $0.hasPrefix("event_missing") }, "\(found)")
            #expect(try await world.platform.count("instructor_payout_events") > 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyWhoMayWriteStartsOne(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let refused = try await world.platform.failure(
                "payments_reconcile", as: world.platform.reader)
            #expect(refused?.code == .forbidden)
            let preview = try await world.platform.call("payments_reconcile", ["dry_run": true])
            #expect(preview["effects"]?.arrayValue?.isEmpty == false)
            #expect(try await world.platform.count("reconciliation_runs") == 0)
        }
    }

    @Test func theNightlyRunIsOnTheSchedule() {
        let entries = Reconcile.schedules(Configuration())
        #expect(entries.map(\.name) == ["reconcile-payments"])
        #expect(entries.first?.cadence == CronExpression("20 4 * * *").map(Cadence.cron))
    }
}
