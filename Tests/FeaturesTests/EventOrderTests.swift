import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Events arrive late, twice and in any order; where they end must not depend on it.
@Suite struct EventOrderTests {
    /// Delivers to each of many rows the same events in an order of its own, all
    /// rows abreast, and gives the states that the rows end in.
    static func states(
        _ platform: TestPlatform, orders: [[Int]], events: (_ row: Int) -> [JSONValue], of state: SQL,
        deliver: (JSONValue) async throws -> Void
    ) async throws -> Set<String> {
        let all = orders.indices.map { events($0 + 1) }
        for step in 0..<(orders.first?.count ?? 0) {
            for (row, order) in orders.enumerated() { try await deliver(all[row][order[step]]) }
            try await platform.drainJobs()
            // So that nothing may depend on when an event was processed.
            platform.advance(by: .milliseconds(777))
        }
        try await platform.finishJobs()
        #expect(try await platform.count("webhook_events", where: "status <> 'processed'") == 0)
        return Set(try await platform.rows(state))
    }

    static func permutations(_ count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return permutations(count - 1).flatMap { order in
            (0...order.count).map { place in
                var next = order
                next.insert(count - 1, at: place)
                return next
            }
        }
    }

    static func shuffles(_ count: Int, of size: Int, seed: UInt64, repeating: Int) -> [[Int]] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            let extra = (0..<repeating).map { _ in Int.random(in: 0..<size, using: &generator) }
            return (Array(0..<size) + extra).shuffled(using: &generator)
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyOrderOfAPaymentsEventsEndsInTheSameState(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let orders = Self.permutations(5)
            try await platform.givenBookings(orders.count)
            let states = try await Self.states(
                platform, orders: orders,
                events: { row in
                    let intent = "pi_\(row)"
                    return [
                        StripeEvents.paymentIntent(
                            "evt_\(row)_a", "amount_capturable_updated", "requires_capture", intent: intent,
                            at: 1),
                        StripeEvents.paymentIntent(
                            "evt_\(row)_b", "payment_failed", "requires_payment_method", intent: intent, at: 2
                        ),
                        StripeEvents.paymentIntent(
                            "evt_\(row)_c", "succeeded", "succeeded", intent: intent, at: 3),
                        StripeEvents.refund("evt_\(row)_d", total: 2_000, intent: intent, at: 4),
                        StripeEvents.refund("evt_\(row)_e", total: 5_000, intent: intent, at: 5),
                    ]
                },
                of: """
                    SELECT p.status, p.status_at, p.amount_refunded, b.status AS booking FROM payment_intents p
                    JOIN bookings b ON b.id = p.booking_id
                    """
            ) { try await platform.deliver(stripe: $0) }
            let end = TestClock.start + .seconds(5)
            #expect(
                states == [
                    "status=refunded status_at=\(end.microseconds) amount_refunded=5000 booking=CONFIRMED"
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyOrderOfUncapturedStatesEndsInTheLatest(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let orders = Self.permutations(4)
            try await platform.givenBookings(orders.count)
            let states = try await Self.states(
                platform, orders: orders,
                events: { row in
                    let steps = [
                        ("requires_action", 1), ("processing", 2), ("requires_payment_method", 3),
                        // In one second with the one before: the further state counts.
                        ("requires_capture", 3),
                    ]
                    return steps.map { status, second in
                        StripeEvents.paymentIntent(
                            "evt_\(row)_\(status)", "processing", status, intent: "pi_\(row)", at: second)
                    }
                }, of: "SELECT status, status_at FROM payment_intents"
            ) { try await platform.deliver(stripe: $0) }
            #expect(
                states == [
                    "status=requires_capture status_at=\((TestClock.start + .seconds(3)).microseconds)"
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyOrderOfDisputesEndsInTheSameState(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let seed = UInt64.random(in: .min ... .max)
            let orders = Self.permutations(4) + Self.shuffles(40, of: 4, seed: seed, repeating: 2)
            try await platform.givenBookings(orders.count)
            let longest = orders.map(\.count).max() ?? 0
            // The plain permutations get their last event once more, to be as long.
            let padded = orders.map { $0 + Array(repeating: $0[$0.count - 1], count: longest - $0.count) }
            let states = try await Self.states(
                platform, orders: padded,
                events: { row in
                    let intent = "pi_\(row)"
                    return [
                        StripeEvents.dispute(
                            "evt_\(row)_a", "created", "needs_response", dispute: "dp_1", intent: intent,
                            opened: 10,
                            at: 11),
                        StripeEvents.dispute(
                            "evt_\(row)_b", "closed", "won", dispute: "dp_1", intent: intent, opened: 10,
                            at: 20),
                        StripeEvents.dispute(
                            "evt_\(row)_c", "created", "needs_response", dispute: "dp_2", intent: intent,
                            opened: 30,
                            at: 31),
                        StripeEvents.dispute(
                            "evt_\(row)_d", "closed", "lost", dispute: "dp_2", intent: intent, opened: 30,
                            at: 40),
                    ]
                },
                of: """
                    SELECT payment_status, settlement_outcome, dispute_id, dispute_status, dispute_amount,
                    dispute_created_at, dispute_resolved_at FROM bookings
                    """
            ) { try await platform.deliver(stripe: $0) }
            let (opened, closed) = (TestClock.start + .seconds(30), TestClock.start + .seconds(40))
            #expect(
                states == [
                    "payment_status=settled settlement_outcome=student_wins_dispute_full_refund dispute_id=dp_2 "
                        + "dispute_status=lost dispute_amount=5000 dispute_created_at=\(opened.microseconds) "
                        + "dispute_resolved_at=\(closed.microseconds)"
                ], "seed \(seed)")
            // The history has every event once, whatever became of it.
            #expect(try await platform.count("payment_events") == 4 * orders.count)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOpenDisputeStaysOpenInEveryOrder(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let orders = Self.permutations(3)
            try await platform.givenBookings(orders.count)
            let states = try await Self.states(
                platform, orders: orders,
                events: { row in
                    [("dp_1", "created", 10), ("dp_1", "closed", 20), ("dp_2", "created", 30)].map {
                        id, type, second in
                        StripeEvents.dispute(
                            "evt_\(row)_\(second)", type, type == "closed" ? "won" : "needs_response",
                            dispute: id,
                            intent: "pi_\(row)", opened: id == "dp_1" ? 10 : 30, at: second)
                    }
                },
                of: "SELECT payment_status, settlement_outcome, dispute_id, dispute_resolved_at FROM bookings"
            ) { try await platform.deliver(stripe: $0) }
            #expect(
                states == [
                    "payment_status=manual_review settlement_outcome=NULL dispute_id=dp_2 dispute_resolved_at=NULL"
                ])
        }
    }

    @Test(arguments: TestDatabase.available, [false, true])
    func everyOrderOfABackgroundCheckEndsInTheSameState(dialect: Dialect, isLive: Bool) async throws {
        try await TestPlatform.with(dialect) { platform in
            let seed = UInt64.random(in: .min ... .max)
            let orders = Self.shuffles(120, of: 8, seed: seed, repeating: 3)
            try await platform.givenInstructors(orders.count, isLive: isLive)
            let states = try await Self.states(
                platform, orders: orders,
                events: { row in
                    let candidate = "cand_\(row)"
                    func event(_ type: String, _ second: Int, _ object: JSONObject = [:]) -> JSONValue {
                        CheckrEvents.event(
                            "e_\(row)_\(second)", type, at: second, candidate: candidate, object)
                    }
                    func completed(_ result: String, _ report: String, _ second: Int) -> JSONValue {
                        CheckrEvents.completed(
                            "e_\(row)_\(second)", result, report: "\(report)_\(row)", candidate: candidate,
                            at: second)
                    }
                    return [
                        event("invitation.created", 1, ["id": "inv_1"]),
                        event("invitation.completed", 2, ["id": "inv_2"]), event("report.created", 3),
                        event("report.updated", 4, ["estimated_completion_time": "2026-12-01"]),
                        completed("consider", "report_a", 5),
                        event("report.updated", 6, ["estimated_completion_time": "2026-12-05"]),
                        event("report.suspended", 7), completed("clear", "report_b", 8),
                    ]
                },
                of: """
                    SELECT is_live, bgc_status, bgc_status_at, bgc_report_result, bgc_completed_at, bgc_valid_until,
                    bgc_eta, bgc_note, checkr_invitation_id FROM instructor_profiles
                    """
            ) { try await platform.deliver(checkr: $0) }
            let end = TestClock.start + .seconds(8)
            let eta = try #require(Instant(parsing: "2026-12-05T00:00:00Z"))
            #expect(
                states == [
                    "is_live=0 bgc_status=passed bgc_status_at=\(end.microseconds) bgc_report_result=clear "
                        + "bgc_completed_at=\(end.microseconds) "
                        + "bgc_valid_until=\((end + .seconds(365 * 86_400)).microseconds) "
                        + "bgc_eta=\(eta.microseconds) bgc_note=NULL checkr_invitation_id=inv_2"
                ], "seed \(seed)")
            #expect(try await platform.count("background_checks") == 2 * orders.count)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOldReportDoesNotTakeALiveInstructorDown(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.givenInstructors(isLive: true)
            try await platform.deliver(checkr: CheckrEvents.event("e1", "report.created", at: -60))
            try await platform.deliver(checkr: CheckrEvents.completed("e2", "consider", at: -30))
            try await platform.finishJobs()
            #expect(
                try await platform.rows("SELECT is_live, bgc_status FROM instructor_profiles")
                    == ["is_live=1 bgc_status=passed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyOrderOfIdentityEventsEndsInTheSameState(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let orders = Self.permutations(3)
            try await platform.givenInstructors(orders.count)
            let states = try await Self.states(
                platform, orders: orders,
                events: { row in
                    let metadata: JSONValue = ["user_id": .string(TestPlatform.id(TestPlatform.user, row))]
                    return [
                        ("vs_1", "requires_input", 1), ("vs_2", "verified", 2), ("vs_3", "processing", 3),
                    ].map {
                        StripeEvents.event(
                            "evt_\(row)_\($0.2)", "identity.verification_session.\($0.1)", at: $0.2,
                            ["id": .string($0.0), "metadata": metadata])
                    }
                },
                of:
                    """
                    SELECT identity_verified_at, identity_verification_session_id AS session
                    FROM instructor_profiles
                    """
            ) { try await platform.deliver(stripe: $0) }
            let verified = TestClock.start + .seconds(2)
            #expect(states == ["identity_verified_at=\(verified.microseconds) session=vs_3"])
        }
    }
}
