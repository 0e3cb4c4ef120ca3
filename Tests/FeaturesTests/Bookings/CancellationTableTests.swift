import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The cancellation policy, a test for each row of the table (domain specification §2.5).
///
/// A lesson of 100 dollars: the card pays 112, the teacher would get 85.
@Suite struct CancellationTableTests {
    @Test(arguments: TestDatabase.available)
    func noPaymentYetNothingMovesAndCreditsAreReleased(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.book()
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            #expect(try await world.events(id).last == "cancelled_before_payment")
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
            #expect(try await world.objects("payment_intent") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theCardWasRefusedAndNothingMovesAndCreditsAreReleased(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.scheduled(card: "pm_card_chargeDeclined")
            try await world.change(id) { booking, tx, context in
                try MoneyPlan.start(.authorize, [.init(.authorize, "auth_\(id)_1")], &booking, tx, context)
            }
            try await world.platform.drainJobs()
            #expect(try await world.booking(id).paymentStatus == .methodRequired)
            try world.left(LessonWorld.hour * 5)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(
        arguments: TestDatabase.available, [Duration.seconds(48 * 3_600), .seconds(3_600)])
    func byTheInstructorAtAnyTimeNotCapturedThePaymentIsCanceled(dialect: Dialect, left: Duration)
        async throws
    {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            try world.left(left)
            try await world.cancel(id, by: world.teacher.actor)
            try await world.expect(id, .cancelled, .settled, .instructorCancel)
            #expect(try await world.events(id).contains("instructor_cancelled"))
            #expect(try await world.events(id).contains("credits_released"))
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func byTheInstructorNotEvenAuthorizedNothingMoves(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(LessonWorld.hour * 2)
            try await world.cancel(id, by: world.teacher.actor)
            try await world.expect(id, .cancelled, .settled, .instructorCancel)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            #expect(try await world.objects("payment_intent") == 0)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 3_000])
    func byTheInstructorCapturedEverythingGoesBackWithTheFee(dialect: Dialect, gift: Int) async throws {
        try await LessonWorld.with(dialect) { world in
            if gift > 0 { try await world.give(credit: gift) }
            let id = try await world.captured(complete: false)
            try await world.cancel(id, by: world.teacher.actor)
            try await world.expect(id, .cancelled, .settled, .instructorCancel)
            #expect(try await world.events(id).last == "instructor_cancel_refunded")
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: gift, gifts: gift)
            #expect(try await world.payment(id).refundedCents == 11_200 - gift)
        }
    }

    @Test(arguments: TestDatabase.available, [Int64(0), 1])
    func byTheStudentADayAheadOrMoreThePaymentIsCanceled(dialect: Dialect, more: Int64) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            // Exactly 24 hours count as a day ahead.
            try world.left(LessonWorld.hour * 24, more)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            #expect(try await world.events(id).contains("auth_released"))
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func byTheStudentADayAheadAfterAMoveAtTheLastMomentThePriceBecomesACredit(dialect: Dialect)
        async throws
    {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            let original = try await world.booking(id).createdAt + LessonWorld.hour * 23
            try await world.platform.execute("UPDATE bookings SET original_lesson_datetime = \(original)")
            try world.left(LessonWorld.hour * 30)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelCredit)
            #expect(try await world.events(id).last == "credit_created_gaming_reschedule_cancel")
            try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
        }
    }

    /// One microsecond less than 24 hours, and exactly 12.
    @Test(arguments: TestDatabase.available, [(24, Int64(-1)), (12, 0), (12, 1), (18, 0)])
    func byTheStudentHalfADayToADayAheadThePriceBecomesACredit(dialect: Dialect, left: (Int, Int64))
        async throws
    {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * left.0, left.1)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelCredit)
            #expect(
                try await world.events(id).suffix(3) == [
                    "late_cancellation_captured", "transfer_reversed_late_cancel",
                    "credit_created_late_cancel",
                ])
            try await world.expectMoney(card: 11_200, teacher: 0, platform: 1_200, credits: 10_000)
            #expect(
                try await world.platform.value("SELECT source_type FROM platform_credits")
                    == "cancel_credit_12_24")
        }
    }

    @Test(arguments: TestDatabase.available)
    func creditsThatPaidForALateCancelledLessonAreSpentAndComeBackInTheNewOne(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelCredit)
            try await world.expectMoney(
                card: 8_200, teacher: 0, platform: 1_200, credits: 10_000, gifts: 3_000)
        }
    }

    /// One microsecond less than 12 hours, and after the lesson has begun.
    @Test(arguments: TestDatabase.available, [(12, Int64(-1)), (3, 0), (0, -1)])
    func byTheStudentLessThanHalfADayAheadThePriceIsShared(dialect: Dialect, left: (Int, Int64))
        async throws
    {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * left.0, left.1)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelSplit)
            #expect(
                try await world.events(id).suffix(4) == [
                    "captured_last_minute_cancel", "transfer_reversed_last_minute_cancel",
                    "payout_created_last_minute_cancel", "credit_created_last_minute_cancel",
                ])
            try await world.expectMoney(card: 11_200, teacher: 4_250, platform: 1_950, credits: 5_000)
            #expect(
                try await world.platform.value("SELECT source_type FROM platform_credits")
                    == "cancel_credit_lt12")
        }
    }

    @Test(arguments: TestDatabase.available)
    func byTheStudentHalfADayAheadWithoutAPaymentNothingIsCharged(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(LessonWorld.hour * 18)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func byTheStudentLessThanHalfADayAheadWithoutAPaymentSomebodyLooks(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(LessonWorld.hour * 12, -1)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .manualReview, nil)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func underReviewTheLessonIsCancelledAndTheMoneyStays(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try await world.change(id) { booking, tx, context in
                try booking.pay(.manualReview, tx, context)
            }
            try world.left(LessonWorld.hour * 18)
            try await world.cancel(id, by: world.student)
            try await world.expect(id, .cancelled, .manualReview, nil)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            let status: String? = try await world.platform.value("SELECT status FROM payment_intents")
            #expect(status == "requires_capture", "nothing automatic touches it")
        }
    }
}
