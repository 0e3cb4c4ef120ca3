import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// A student moves a lesson less than a day ahead: its price is taken and held, and what
/// becomes of the new lesson decides whose it is (domain specification §2.5).
@Suite struct LockedLessonTests {
    /// A lesson that was to begin in 18 hours, moved to noon of the next day.
    private func moved(_ world: LessonWorld, authorized: Bool = true, card: String = "pm_card_visa")
        async throws -> (old: ULID, new: ULID)
    {
        let id =
            authorized ? try await world.authorized(card: card) : try await world.scheduled(card: card)
        try world.left(LessonWorld.hour * 18)
        return (id, try await RescheduleTests.move(world, id))
    }

    /// Sets the clock to so long before the new lesson.
    private func left(_ world: LessonWorld, _ duration: Duration, _ microseconds: Int64 = 0) throws {
        let start = try world.moment("12:00", on: world.day.adding(days: 1)) - duration
        world.platform.clock.set(Instant(microseconds: start.microseconds - microseconds))
    }

    private func resolution(_ world: LessonWorld, _ id: ULID) async throws -> String? {
        try await world.platform.value(
            "SELECT lock_resolution FROM booking_payments WHERE booking_id = \(id)")
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func thePriceIsTakenAndHeldWithTheOldRow(dialect: Dialect, authorized: Bool) async throws {
        try await LessonWorld.with(dialect) { world in
            let (old, new) = try await moved(world, authorized: authorized)
            try await world.expect(old, .cancelled, .locked, nil)
            try await world.expect(new, .confirmed, .locked, nil)
            let booking = try await world.booking(new)
            #expect(booking.hasLockedFunds && booking.lateRescheduleUsed && booking.isGaming)
            #expect(booking.originalLesson == (try world.start))
            let payment = try await world.payment(old)
            #expect(payment.lockedAt == world.platform.now && payment.lockedCents == 10_000)
            #expect(payment.capturedCents == 11_200 && payment.transferredCents == 0)
            #expect(try await world.events(old).last == "lock_activated")
            let keys: [String] = try await world.platform.database.read {
                try $0.values("SELECT key FROM money_steps WHERE state = 'done' ORDER BY plan_id, position")
            }
            #expect(keys == ["auth_\(old)_1", "lock_capture_\(old)", "lock_reverse_\(old)"])
            // Held: charged, and nobody's yet.
            let balances = try await world.platform.database.read { try Ledger.balances(booking: old, $0) }
            #expect(balances[.instructorPayable] == -8_500 && balances[.providerClearing] == 11_200)
            #expect(balances[.studentReceivable] ?? 0 == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anotherPriceCannotBeHeld(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let failure = try await world.platform.failure(
                "booking_reschedule",
                [
                    "id": .string(id.description), "start_time": "12:00", "selected_duration": 90,
                    "booking_date": .string(world.day.adding(days: 1).description),
                ], as: world.student)
            #expect(failure?.reason == "reschedule_price_changed")
            try await world.expect(id, .confirmed, .authorized, nil)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 3_000])
    func theNewLessonCompletesAndTheTeacherIsPaid(dialect: Dialect, gift: Int) async throws {
        try await LessonWorld.with(dialect) { world in
            if gift > 0 { try await world.give(credit: gift) }
            let (old, new) = try await moved(world)
            try left(world, .zero - LessonWorld.hour)
            _ = try await world.platform.call(
                "booking_complete", ["id": .string(new.description)], as: world.teacher.actor)
            try left(world, .zero - LessonWorld.hour * 25)
            try await world.platform.runJob(CaptureCompletedLessons())
            try await world.expect(old, .cancelled, .settled, .lessonCompletedFullPayout)
            try await world.expect(new, .completed, .settled, .lessonCompletedFullPayout)
            #expect(try await resolution(world, old) == "new_lesson_completed")
            try await world.expectMoney(
                card: 11_200 - gift, teacher: 8_500, platform: 2_700, gifts: gift)
        }
    }

    @Test(arguments: TestDatabase.available, [Int64(0), 1])
    func theStudentCancelsHalfADayAheadAndGetsThePriceAsACredit(dialect: Dialect, more: Int64)
        async throws
    {
        try await LessonWorld.with(dialect) { world in
            let (old, new) = try await moved(world)
            try left(world, LessonWorld.hour * 12, more)
            try await world.cancel(new, by: world.student)
            try await world.expect(old, .cancelled, .settled, .lockedCancelCredit)
            try await world.expect(new, .cancelled, .settled, .lockedCancelCredit)
            #expect(try await resolution(world, old) == "new_lesson_cancelled_ge12")
            #expect(try await world.events(old).last == "lock_resolved")
            try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theStudentCancelsLaterAndThePriceIsShared(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let (old, new) = try await moved(world)
            try left(world, LessonWorld.hour * 12, -1)
            try await world.cancel(new, by: world.student)
            try await world.expect(old, .cancelled, .settled, .lockedCancelSplit)
            try await world.expect(new, .cancelled, .settled, .lockedCancelSplit)
            #expect(try await resolution(world, old) == "new_lesson_cancelled_lt12")
            try await world.expectMoney(card: 11_200, teacher: 4_250, platform: 1_950, credits: 5_000)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 3_000])
    func theInstructorCancelsAndTheCardGetsEverythingBack(dialect: Dialect, gift: Int) async throws {
        try await LessonWorld.with(dialect) { world in
            if gift > 0 { try await world.give(credit: gift) }
            let (old, new) = try await moved(world)
            try left(world, LessonWorld.hour * 2)
            try await world.cancel(new, by: world.teacher.actor)
            try await world.expect(old, .cancelled, .settled, .instructorCancel)
            try await world.expect(new, .cancelled, .settled, .instructorCancel)
            #expect(try await resolution(world, old) == "instructor_cancelled")
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: gift, gifts: gift)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatCannotBeTakenIsLookedAtAndTheLessonCanStillBeCancelled(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let (old, new) = try await moved(world, authorized: false, card: "pm_card_chargeDeclined")
            try await world.expect(old, .cancelled, .manualReview, nil)
            try await world.expect(new, .confirmed, .manualReview, nil)
            #expect(try await world.events(old).last == "lock_activation_failed")
            #expect(try await world.notified(world.studentID).last == "payment.lock_failed")
            try await world.cancel(new, by: world.student)
            try await world.expect(new, .cancelled, .manualReview, nil)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHeldPriceThatWasPaidOutIsRefundedWithItsLesson(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let (old, new) = try await moved(world)
            let admin = try await world.administrator()
            let held = try await world.platform.failure(
                "admin_booking_refund", ["id": .string(old.description), "reason": "other"], as: admin)
            #expect(held?.reason == "payment_locked")
            try left(world, .zero - LessonWorld.hour)
            try await world.change(new) { booking, tx, context in
                try booking.move(to: .completed, tx, context)
                try LockedLesson.resolve(.lockPayout, for: booking, tx, context)
            }
            try await world.platform.drainJobs()
            _ = try await world.platform.call(
                "admin_booking_refund", ["id": .string(old.description), "reason": "other"], as: admin)
            try await world.platform.drainJobs()
            try await world.expect(old, .cancelled, .settled, .adminRefund)
            try await world.expect(new, .cancelled, .settled, .adminRefund)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func untilThePriceIsHeldTheNewLessonCannotBeCancelled(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let answer = try await world.platform.call(
                "booking_reschedule",
                [
                    "id": .string(id.description), "start_time": "12:00",
                    "booking_date": .string(world.day.adding(days: 1).description),
                ], as: world.student)
            let new = try #require(answer["id"]?.stringValue.flatMap { ULID($0) })
            let failure = try await world.platform.failure(
                "booking_cancel", ["id": .string(new.description), "reason": "It rains"], as: world.student)
            #expect(failure?.reason == "lock_not_active")
            try await world.platform.drainJobs()
            try await world.cancel(new, by: world.student)
            try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
        }
    }

    /// It is the new lesson that was held, so it counts and earns.
    @Test(arguments: TestDatabase.available)
    func theFifthLessonEarnsItsCreditThoughItWasMoved(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let (_, new) = try await moved(world)
            let now = world.platform.now
            for _ in 0..<4 {
                let id = world.platform.newID()
                try await world.platform.execute(
                    """
                    INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, \
                    updated_at) VALUES (\(id), \(world.studentID), \(world.teacher.user), 'COMPLETED', \
                    'settled', \(now), \(now))
                    """)
            }
            try left(world, .zero - LessonWorld.hour * 25)
            try await world.platform.runJob(CaptureCompletedLessons())
            let source: ULID? = try await world.platform.value(
                "SELECT source_booking_id FROM platform_credits WHERE source_type = 'milestone_s5'")
            #expect(source == new)
            try await world.expectMoney(
                card: 11_200, teacher: 8_500, platform: 2_700, credits: 1_000, gifts: 1_000)
        }
    }
}
