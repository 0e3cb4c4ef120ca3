import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Administrators refund, cancel and settle bookings (domain specification §2.5, §10.2).
@Suite struct AdminBookingTests {
    static func refund(
        _ world: LessonWorld, _ id: ULID, _ cents: Int? = nil, _ reason: String = "other", by admin: Actor
    ) async throws -> JSONValue {
        let answer = try await world.platform.call(
            "admin_booking_refund", arguments(id, cents, reason), as: admin)
        try await world.platform.drainJobs()
        return answer
    }

    static func arguments(_ id: ULID, _ cents: Int? = nil, _ reason: String = "other") -> JSONObject {
        var arguments: JSONObject = ["id": .string(id.description), "reason": .string(reason)]
        if let cents { arguments["amount_cents"] = .int(cents) }
        return arguments
    }

    private func refusal(
        _ world: LessonWorld, _ id: ULID, _ cents: Int? = nil, by admin: Actor
    ) async throws -> Failure? {
        try await world.platform.failure("admin_booking_refund", Self.arguments(id, cents), as: admin)
    }

    @Test(
        arguments: TestDatabase.available,
        [
            ("instructor_no_show", BookingStatus.noShow, SettlementOutcome.instructorNoShow),
            ("dispute", .cancelled, .disputeLost), ("platform_error", .cancelled, .adminRefund),
            ("other", .cancelled, .adminRefund),
        ])
    func aFullRefundEndsTheBooking(
        dialect: Dialect, reason: (String, BookingStatus, SettlementOutcome)
    ) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.captured()
            let admin = try await world.administrator()
            _ = try await Self.refund(world, id, nil, reason.0, by: admin)
            try await world.expect(id, reason.1, .settled, reason.2)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
            let keys: [String] = try await world.platform.database.read {
                try $0.values("SELECT key FROM money_steps WHERE kind = 'refund'")
            }
            #expect(keys == ["admin_refund_\(id)_8200"])
            let sent: String? = try await world.platform.value(
                "SELECT request FROM money_steps WHERE kind = 'refund'")
            #expect(sent?.contains(reason.0 == "dispute" ? "duplicate" : "requested_by_customer") == true)
            // Who asked for it stands in the entry of what came of it.
            await world.platform.recorder.flush()
            let entry: String? = try await world.platform.value(
                "SELECT metadata FROM audit_logs WHERE action = 'payment.refund'")
            #expect(entry?.contains(admin.id ?? "?") == true && entry?.contains("refund_id") == true)
            #expect(try await world.platform.audited("booking.admin_refund") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPartialRefundLeavesTheBookingAsItIs(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            _ = try await Self.refund(world, id, 2_800, by: admin)
            try await world.expect(id, .completed, .settled, .lessonCompletedFullPayout)
            // A quarter of the 112, so a quarter of the 85.
            try await world.expectMoney(card: 8_400, teacher: 6_375, platform: 2_025)
            #expect(try await refusal(world, id, 100, by: admin)?.reason == "already_refunded")
            let status: String? = try await world.platform.value("SELECT status FROM payment_intents")
            #expect(status == "partially_refunded")
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatCannotBeRefundedIsRefused(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let admin = try await world.administrator()
            let pending = try await world.book(world.arguments(at: "15:00"))
            #expect(
                try await refusal(world, pending, by: admin)?.message == "Booking has no payment to refund.")
            let open = try await world.authorized(at: "12:00")
            #expect(try await refusal(world, open, by: admin)?.reason == "payment_not_captured")
            #expect(try await refusal(world, world.service, by: admin)?.code == .notFound)
            let id = try await world.captured()
            let more = try await refusal(world, id, 11_201, by: admin)
            #expect(more?.code == .invalidInput && more?.reason == "refund_exceeds_payment")
            #expect(try await refusal(world, id, 0, by: admin)?.code == .invalidInput)
            #expect(try await refusal(world, id, by: world.student)?.code == .forbidden)
            #expect(try await refusal(world, id, by: world.platform.admin)?.code == .unauthenticated)
            let now = world.platform.now
            try await world.platform.execute(
                "UPDATE bookings SET dispute_id = 'dp_1', dispute_created_at = \(now) WHERE id = \(id)")
            #expect(try await refusal(world, id, by: admin)?.reason == "payment_disputed")
            try await world.platform.execute(
                "UPDATE bookings SET dispute_resolved_at = \(now) WHERE id = \(id)")
            _ = try await Self.refund(world, id, by: admin)
            #expect(try await refusal(world, id, by: admin)?.message == "Booking already refunded.")
        }
    }

    /// Somebody refunded it at the provider: ours is refused there, and says so.
    @Test(arguments: TestDatabase.available)
    func aRefundThatTheProviderRefusesIsNoSuccess(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let intent = try #require(try await world.payment(id).intentID)
            _ = try await world.provider.ask(
                .refund(
                    .init(
                        intent: intent, amount: 11_200, reason: .requestedByCustomer, reversesTransfer: false)
                ),
                key: "dashboard")
            let admin = try await world.administrator()
            let first = try await world.call("admin_booking_refund", Self.arguments(id), as: admin)
            #expect(first["refund_status"]?.stringValue == "failed")
            #expect(first["refund_error"]?.stringValue == "already_refunded")
            #expect(first["summary"]?.stringValue?.contains("FAILED") == true)
            #expect(first["booking"]?["payment_status"]?.stringValue == "manual_review")
            #expect(try await world.events(id).last == "admin_refund_failed")
            await world.platform.recorder.flush()
            let statuses: [String] = try await world.platform.database.read {
                try $0.values("SELECT status FROM audit_logs WHERE action = 'payment.refund'")
            }
            #expect(statuses == ["failed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theCallerSeesTheEnd(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            let done = try await world.call("admin_booking_refund", Self.arguments(id), as: admin)
            #expect(done["refund_status"]?.stringValue == "succeeded")
            #expect(done["refund_amount_cents"]?.intValue == 11_200)
            #expect(done["refund_id"]?.stringValue?.hasPrefix("re_") == true)
            #expect(done["booking"]?["status"]?.stringValue == "CANCELLED")
            #expect(done["booking"]?["payment"]?["refunded_cents"]?.intValue == 11_200)
        }
    }

    /// Whoever runs no jobs in time answers that it is not done.
    @Test(arguments: TestDatabase.available)
    func whatIsNotDoneIsPending(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            let answer = try await world.platform.call(
                "admin_booking_refund", Self.arguments(id), as: admin)
            #expect(answer["refund_status"]?.stringValue == "pending")
            #expect(answer["summary"]?.stringValue?.contains("not done yet") == true)
            #expect(answer["booking"]?["status"]?.stringValue == "COMPLETED")
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofAHundredRefundsAtOnceNoMoreGoesBackThanWasPaid(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            let won = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        // Some want all of it, some a part.
                        let cents = number % 3 == 0 ? nil : 5_000 + number
                        let failure = try await world.platform.failure(
                            "admin_booking_refund", Self.arguments(id, cents), as: admin)
                        if let failure {
                            #expect(
                                ["operation_in_progress", "already_refunded"].contains(failure.reason))
                        }
                        return failure == nil
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        try await world.platform.drainJobs()
                        return false
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try await world.platform.finishJobs()
            #expect(won == 1)
            let returned: Int? = try await world.platform.value(
                "SELECT SUM(returned) FROM stripe_sandbox_objects WHERE kind = 'charge'")
            let refunded = try await world.payment(id).refundedCents
            #expect(returned == refunded && refunded > 0 && refunded <= 11_200)
            #expect(try await world.platform.count("stripe_sandbox_objects", where: "kind = 'refund'") == 1)
            let balances = try await world.platform.database.read { try Ledger.balances(booking: id, $0) }
            for account in [LedgerAccount.studentReceivable, .refunds, .disputes, .instructorPayable] {
                #expect(balances[account] ?? 0 == 0, "\(account)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefundTakesTheCreditOfALateCancellationBack(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 3)
            try await world.cancel(id, by: world.student)
            try await world.expectMoney(card: 11_200, teacher: 4_250, platform: 1_950, credits: 5_000)
            _ = try await Self.refund(world, id, by: try await world.administrator())
            try await world.expect(id, .cancelled, .settled, .adminRefund)
            // The credit was paid from a share that is given back now, so that it lapses is a gain.
            try await world.expectMoney(card: 0, teacher: 0, platform: -5_000, gifts: -5_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func cancellingReleasesWhatIsNotCaptured(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            let admin = try await world.administrator()
            try world.left(LessonWorld.hour * 2)
            let answer = try await world.call(
                "admin_booking_cancel",
                ["id": .string(id.description), "reason": "Flood", "refund": true], as: admin)
            #expect(answer["refund_status"]?.isNull == true)
            #expect(answer["summary"]?.stringValue?.contains("nothing to refund") == true)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            #expect(try await world.notified(world.studentID).last == "booking.cancelled")
            #expect(try await world.notified(world.teacher.user).last == "booking.cancelled")
            let again = try await world.platform.failure(
                "admin_booking_cancel", ["id": .string(id.description), "reason": "Flood"], as: admin)
            #expect(again?.reason == "booking_not_confirmed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func cancellingRefundsWhatIsCaptured(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured(complete: false)
            let admin = try await world.administrator()
            let answer = try await world.call(
                "admin_booking_cancel",
                ["id": .string(id.description), "reason": "Flood", "refund": true], as: admin)
            #expect(answer["refund_status"]?.stringValue == "succeeded")
            try await world.expect(id, .cancelled, .settled, .adminRefund)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func cancellingGivesAHeldPriceBack(dialect: Dialect, refund: Bool) async throws {
        try await LessonWorld.with(dialect) { world in
            let old = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let new = try await RescheduleTests.move(world, old)
            let admin = try await world.administrator()
            let answer = try await world.call(
                "admin_booking_cancel",
                ["id": .string(new.description), "reason": "Flood", "refund": .bool(refund)], as: admin)
            if refund {
                #expect(answer["refund_status"]?.stringValue == "succeeded")
                try await world.expect(new, .cancelled, .settled, .adminRefund)
                try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            } else {
                try await world.expect(new, .cancelled, .settled, .lockedCancelCredit)
                try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStatusIsSetOfConfirmedLessonsAlone(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let (id, other) = (try await world.authorized(), try await world.scheduled(at: "12:00"))
            let admin = try await world.administrator()
            func arguments(_ id: ULID, _ status: String) -> JSONObject {
                ["id": .string(id.description), "status": .string(status)]
            }
            let name = "admin_booking_complete"
            func refusal(_ id: ULID, _ status: String, _ actor: Actor) async throws -> Failure? {
                try await world.platform.failure(name, arguments(id, status), as: actor)
            }
            #expect(try await refusal(id, "COMPLETED", admin)?.reason == "lesson_not_over")
            #expect(try await refusal(id, "NO_SHOW", admin)?.reason == "no_show_window_closed")
            #expect(try await refusal(id, "CANCELLED", admin)?.code == .invalidInput)
            #expect(try await refusal(id, "COMPLETED", world.student)?.code == .forbidden)
            try world.left(.zero - LessonWorld.hour * 60)
            let view = try await world.platform.call(name, arguments(id, "COMPLETED"), as: admin)
            #expect(view["status"]?.stringValue == "COMPLETED")
            #expect(try await world.platform.audited("booking.complete") == 1)
            // Later than anybody else could report it.
            let missed = try await world.platform.call(name, arguments(other, "NO_SHOW"), as: admin)
            #expect(missed["status"]?.stringValue == "NO_SHOW")
            #expect(missed["no_show"]?["type"]?.stringValue == "student")
            #expect(try await world.platform.audited("booking.no_show") == 1)
            #expect(try await refusal(id, "NO_SHOW", admin)?.reason == "booking_not_confirmed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aBookingShowsItsPaymentAndWhatHappened(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            let admin = try await world.administrator()
            let view = try await world.platform.call(
                "admin_booking_show", ["id": .string(id.description)], as: admin)
            #expect(view["student_name"]?.stringValue == "Sam S.")
            #expect(view["total_price"]?.doubleValue == 100)
            #expect(view["payment"]?["captured_cents"]?.intValue == 11_200)
            #expect(view["payment"]?["instructor_payout_cents"]?.intValue == 8_500)
            #expect(view["payment"]?["intent_status"]?.stringValue == "succeeded")
            let events = view["timeline"]?.arrayValue?.compactMap { $0["event"]?.stringValue }
            #expect(
                events == [
                    "setup_intent_created", "auth_scheduled", "auth_succeeded", "payment_captured",
                ])
            let refused = try await world.platform.failure(
                "admin_booking_show", ["id": .string(id.description)], as: world.student)
            #expect(refused?.code == .forbidden)
            let none = try await world.platform.failure(
                "admin_booking_show", ["id": .string(world.service.description)], as: admin)
            #expect(none?.code == .notFound)
        }
    }
}

extension LessonWorld {
    /// Calls as a surface does whose process runs jobs: the answer waits for them.
    func call(_ name: String, _ arguments: JSONObject, as actor: Actor) async throws -> JSONValue {
        let runner = Runner(
            catalog: OperationCatalog(platform.features), database: platform.database,
            limiter: RateLimiter(perMinute: 0, burst: 0), recorder: platform.recorder,
            patience: .seconds(20))
        return try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            group.addTask {
                let answer = try await runner.call(name, arguments, platform.context(actor))
                return try JSONValue(parsing: answer.bytes)
            }
            group.addTask {
                while !Task.isCancelled {
                    try await platform.drainJobs()
                    try? await Task.sleep(for: .milliseconds(5))
                }
                return nil
            }
            while let value = try await group.next() {
                if let value {
                    group.cancelAll()
                    return value
                }
            }
            throw Failure(.internal, "no answer")
        }
    }
}
