import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Cancelling as people do it, and what happens when a step of the money fails.
@Suite struct CancelBookingTests {
    private func failure(_ world: LessonWorld, _ id: ULID, _ reason: String = "It rains", by actor: Actor)
        async throws -> Failure?
    {
        try await world.platform.failure(
            "booking_cancel", ["id": .string(id.description), "reason": .string(reason)], as: actor)
    }

    @Test(arguments: TestDatabase.available)
    func onlyTheTwoCancelAndTheyGiveAReason(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            let stranger = try await world.platform.person(.student)
            #expect(try await failure(world, id, by: stranger)?.code == .notFound)
            #expect(try await failure(world, id, "", by: world.student)?.code == .invalidInput)
            let long = String(repeating: "x", count: 501)
            #expect(try await failure(world, id, long, by: world.student)?.code == .invalidInput)
            #expect(try await world.booking(id).status == .confirmed)
            let view = try await world.cancel(id, by: world.student)
            #expect(view["status"]?.stringValue == "CANCELLED")
            #expect(view["cancellation_reason"]?.stringValue == "It rains")
            #expect(view["cancelled_by_id"]?.stringValue == world.studentID.description)
        }
    }

    @Test(arguments: TestDatabase.available)
    func cancelledAgainItStaysAsItIs(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            try await world.cancel(id, by: world.student)
            let before = try await world.booking(id)
            let messages = try await world.platform.count("notifications")
            try world.left(LessonWorld.hour * 2)
            let view = try await world.cancel(id, by: world.teacher.actor)
            #expect(view["status"]?.stringValue == "CANCELLED")
            #expect(try await world.booking(id).updatedAt == before.updatedAt)
            #expect(try await world.platform.count("notifications") == messages)
            try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func bothAreToldUnlessTheLessonWasNeverConfirmed(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let pending = try await world.book(world.arguments(at: "15:00"))
            try await world.cancel(pending, by: world.student)
            #expect(try await world.notified(world.teacher.user).isEmpty)
            #expect(try await world.notified(world.studentID).last == "booking.cancelled")
            let id = try await world.scheduled()
            try await world.cancel(id, by: world.teacher.actor)
            #expect(try await world.notified(world.teacher.user).last == "booking.cancelled")
            #expect(try await world.notified(world.studentID).last == "booking.cancelled")
            let said: [String] = try await world.platform.database.read {
                try $0.values("SELECT content FROM messages WHERE message_type = 'system_booking_cancelled'")
            }
            #expect(said.count == 1 && said.first?.contains("10:00") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonThatIsOverIsNotCancelled(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(.zero - LessonWorld.hour)
            #expect(try await failure(world, id, by: world.student)?.reason == "lesson_over")
            try world.left(.zero - LessonWorld.hour, 1)
            try await world.cancel(id, by: world.student)
            #expect(try await world.booking(id).status == .cancelled)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsCompletedIsNotCancelled(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            #expect(try await failure(world, id, by: world.student)?.reason == "booking_not_cancellable")
            try await world.expectMoney(card: 11_200, teacher: 8_500, platform: 2_700)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whileThePaymentIsBeingChangedItIsRefused(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try await world.change(id) { booking, tx, context in
                try MoneyPlan.start(.authorize, [.init(.authorize, "auth_\(id)_1")], &booking, tx, context)
            }
            let busy = try await failure(world, id, by: world.student)
            #expect(busy?.code == .rateLimited && busy?.reason == "operation_in_progress")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCancellationIsAuditedWithItsChangesAndItsCall(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try await world.cancel(id, by: world.student)
            #expect(try await world.platform.audited("booking.cancel") == 1)
            #expect(try await world.platform.audited("bookings.cancel") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptureThatFailsLeavesThePaymentMissing(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized(card: "pm_card_captureFails")
            try world.left(LessonWorld.hour * 18)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .methodRequired, nil)
            #expect(try await world.events(id).last == "capture_failed_late_cancel")
            #expect(try await world.payment(id).failedStep == .capture)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPayoutThatFailsWaitsForSomebody(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try await world.sandbox.setBalance(isEmpty: true)
            try world.left(LessonWorld.hour * 3)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .manualReview, nil)
            #expect(try await world.events(id).last == "payout_failed_last_minute_cancel")
            let payment = try await world.payment(id)
            #expect(payment.failedStep == .payout && payment.stepFailures == 1)
            #expect(payment.stepFailedAt == world.platform.now)
            // The student's credit waits, too: the plan has not ended.
            let owed = try await world.platform.database.read { try Ledger.balances(booking: id, $0) }
            #expect(owed[.instructorPayable] == -8_500 && owed[.creditsLiability] ?? 0 == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefundThatFailsWaitsForSomebody(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured(complete: false)
            // Somebody was faster, at the provider itself.
            let intent = try #require(try await world.payment(id).intentID)
            _ = try await world.provider.ask(
                .refund(
                    .init(
                        intent: intent, amount: 11_200, reason: .requestedByCustomer, reversesTransfer: false)
                ),
                key: "dashboard")
            try await world.cancel(id, by: world.teacher.actor)
            try await world.expect(id, .cancelled, .manualReview, nil)
            #expect(try await world.events(id).last == "instructor_cancel_refund_failed")
            #expect(try await world.payment(id).failedStep == .refund)
            #expect(try await world.payment(id).refundedCents == 0, "what we did, not what we hoped for")
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofManyWhoCancelAtOnceOneDecides(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 3)
            let arguments: JSONObject = ["id": .string(id.description), "reason": "It rains"]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    let actor = number % 2 == 0 ? world.student : world.teacher.actor
                    group.addTask {
                        let view = try await world.platform.call("booking_cancel", arguments, as: actor)
                        #expect(view["status"]?.stringValue == "CANCELLED")
                    }
                }
                try await group.waitForAll()
            }
            try await world.platform.drainJobs()
            #expect(try await world.platform.count("money_plans", where: "kind <> 'authorize'") == 1)
            let booking = try await world.booking(id)
            if booking.settlementOutcome == .instructorCancel {
                try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            } else {
                try await world.expect(id, .cancelled, .settled, .studentCancelSplit)
                try await world.expectMoney(card: 11_200, teacher: 4_250, platform: 1_950, credits: 5_000)
            }
        }
    }
}
