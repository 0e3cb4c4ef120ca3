import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The jobs that move money by the clock (domain specification §2.4).
@Suite struct PaymentJobTests {
    private static let hour = PaymentWorld.hour

    @Test(arguments: TestDatabase.available)
    func whatIsDueIsAuthorizedAndNothingElse(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let due = try await world.lesson(in: Self.hour * 24)
            let early = try await world.lesson(in: Self.hour * 24 + Self.hour * 2)
            let cancelled = try await world.lesson(in: Self.hour * 20, status: .cancelled)
            let unscheduled = try await world.lesson(in: Self.hour * 18)
            try await world.platform.execute(
                "UPDATE booking_payments SET auth_scheduled_for = NULL WHERE booking_id = \(unscheduled)")
            try await world.platform.runJob(ProcessScheduledAuthorizations())
            #expect(try await world.booking(due).paymentStatus == .authorized)
            #expect(try await world.booking(unscheduled).paymentStatus == .authorized)
            #expect(try await world.booking(early).paymentStatus == .scheduled)
            #expect(try await world.booking(cancelled).paymentStatus == .scheduled)
            let payment = try await world.payment(due)
            #expect(payment.price?.studentPay == 11_200 && payment.price?.payout == 8_500)
            let intent = try await world.provider.retrieve(.paymentIntent, try #require(payment.intentID))
            guard case .done(let object?) = intent else { return #expect(Bool(false), "\(intent)") }
            #expect(object.status == "requires_capture" && object.amount == 11_200)
            #expect(try await world.events(due) == ["auth_succeeded"])
            #expect(
                try await world.summary(ProcessScheduledAuthorizations.name) == "2 authorized")
            #expect(try await world.platform.count("money_plans", where: "state = 'running'") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func oneThatFailsHoldsUpNoOther(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let bad = try await world.lesson(in: Self.hour * 20)
            let refused = try await world.lesson(in: Self.hour * 22, card: "pm_card_chargeDeclined")
            let good = try await world.lesson(in: Self.hour * 24)
            try await world.platform.runJob(ProcessScheduledAuthorizations())
            #expect(
                try await world.summary(ProcessScheduledAuthorizations.name) == "2 authorized, 1 refused")
            #expect(try await world.booking(refused).paymentStatus == .methodRequired)
            // A price that cannot be: its share is below zero, which the ledger refuses.
            try await world.platform.execute(
                "UPDATE booking_payments SET instructor_fee_cents = 20000 WHERE booking_id = \(bad)")
            world.platform.advance(by: Self.hour * 50)
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(
                try await world.summary(CaptureCompletedLessons.name)
                    == "1 captured, 1 failed by an error")
            #expect(try await world.booking(good).paymentStatus == .settled)
            #expect(try await world.booking(bad).paymentStatus == .authorized)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedCardIsTriedAfterOneFourAndEightHoursAndTheLessonGivenUpHalfADayBefore(dialect: Dialect)
        async throws
    {
        try await PaymentWorld.with(dialect) { world in
            let platform = world.platform
            let id = try await world.lesson(in: Self.hour * 24, card: "pm_card_chargeDeclined")
            let start = platform.now + Self.hour * 24
            try await platform.runJob(ProcessScheduledAuthorizations())
            #expect(try await world.events(id) == ["auth_failed", "t24_first_failure_email_sent"])
            for _ in 0..<(13 * 4) {
                platform.advance(by: .seconds(900))
                try await platform.runJob(RetryFailedAuthorizations())
            }
            let tries = try await platform.database.read { db in
                try db.values(
                    """
                    SELECT created_at FROM payment_events WHERE booking_id = \(id)
                    AND event_type = 'auth_retry_attempted' ORDER BY id
                    """, as: Instant.self)
            }
            #expect(tries.map { (start - $0).components.seconds / 3_600 } == [23, 19, 13])
            let warned = try await platform.value(
                "SELECT auth_warning_at FROM booking_payments WHERE booking_id = \(id)", as: Instant.self)
            #expect(warned == start - Self.hour * 13)
            let booking = try await world.booking(id)
            #expect(booking.status == .paymentFailed && booking.paymentStatus == .settled)
            #expect(booking.settlementOutcome == .studentCancelFree)
            #expect(booking.cancelledAt == start - Self.hour * 12)
            let events = try await world.events(id)
            #expect(events.filter { $0 == "final_warning_sent" }.count == 1)
            #expect(events.last == "auth_abandoned")
            #expect(
                try await platform.count("notifications", where: "type = 'booking.payment_failed'") == 2)
            #expect(try await world.balances(id) == [:])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNewCardIsTakenByTheNextTry(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.lesson(in: Self.hour * 24, card: "pm_card_chargeDeclined")
            try await world.platform.runJob(ProcessScheduledAuthorizations())
            try await world.platform.execute(
                "UPDATE booking_payments SET payment_method_id = 'pm_card_visa' WHERE booking_id = \(id)")
            world.platform.advance(by: Self.hour - .seconds(1))
            try await world.platform.runJob(RetryFailedAuthorizations())
            #expect(try await world.booking(id).paymentStatus == .methodRequired, "it waits for an hour")
            world.platform.advance(by: .seconds(1))
            try await world.platform.runJob(RetryFailedAuthorizations())
            #expect(try await world.booking(id).paymentStatus == .authorized)
            #expect(try await world.events(id).contains("auth_retry_succeeded"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonThatNobodyCompletedIsCompletedAsOfItsEndAndCharged(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson()
            let end = try await world.booking(id).end
            world.platform.advance(by: end + Self.hour * 24 - world.platform.now - .microseconds(1))
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(id).status == .confirmed, "a microsecond too early")
            world.platform.advance(by: .microseconds(1))
            try await world.platform.runJob(CaptureCompletedLessons())
            let booking = try await world.booking(id)
            #expect(booking.status == .completed && booking.completedAt == end)
            #expect(booking.paymentStatus == .settled)
            #expect(booking.settlementOutcome == .lessonCompletedFullPayout)
            #expect(
                try await world.balances(id)
                    == [.providerClearing: 2_700, .platformFee: -2_700])
            #expect(try await world.summary(CaptureCompletedLessons.name) == "1 captured")
            #expect(try await world.events(id).suffix(2) == ["auto_completed", "payment_captured"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAuthorizationThatRanOutIsReplacedAndCharged(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson()
            let first = try await world.payment(id).intentID
            world.platform.advance(by: Self.hour * 24 * 8)
            try await world.platform.runJob(CaptureCompletedLessons())
            let booking = try await world.booking(id)
            #expect(booking.status == .completed && booking.paymentStatus == .settled)
            let payment = try await world.payment(id)
            #expect(payment.intentID != first && payment.capturedCents == 11_200)
            let events = try await world.events(id)
            #expect(
                events.contains("capture_failed_expired") && events.contains("reauth_and_capture_success"))
            #expect(
                try await world.balances(id) == [.providerClearing: 2_700, .platformFee: -2_700])
            #expect(try await world.summary(CaptureCompletedLessons.name) == "1 captured anew")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anOldAuthorizationOfALessonToComeIsAskedForAgain(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson()
            let later = world.platform.now + Self.hour * 24 * 12
            try await world.platform.execute(
                """
                UPDATE bookings SET booking_start_utc = \(later), booking_end_utc = \(later + Self.hour)
                WHERE id = \(id)
                """)
            world.platform.advance(by: Self.hour * 24 * 7 - .seconds(60))
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(id).paymentStatus == .authorized)
            world.platform.advance(by: .seconds(60))
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(id).paymentStatus == .methodRequired)
            #expect(try await world.events(id).last == "auth_expired")
            try await world.platform.runJob(RetryFailedAuthorizations())
            #expect(try await world.booking(id).paymentStatus == .authorized)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptureThatFailsIsTriedAgainAfterFourHours(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson(card: "pm_card_captureFailsLater")
            world.platform.advance(by: Self.hour * 50)
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(id).paymentStatus == .methodRequired)
            #expect(try await world.summary(CaptureCompletedLessons.name) == "1 not captured")
            for hours in [3, 1, 3] {
                world.platform.advance(by: Self.hour * hours)
                try await world.platform.runJob(RetryFailedCaptures())
            }
            #expect(try await world.payment(id).stepFailures == 2, "once, and after four hours")
            world.platform.advance(by: Self.hour)
            try await world.platform.runJob(RetryFailedCaptures())
            #expect(try await world.booking(id).paymentStatus == .settled)
            #expect(
                try await world.balances(id) == [.providerClearing: 2_700, .platformFee: -2_700])
        }
    }

    @Test(arguments: TestDatabase.available)
    func afterThreeDaysThePlatformPaysTheInstructorAndTheStudentCannotBook(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson(card: "pm_card_captureFails")
            world.platform.advance(by: Self.hour * 50)
            try await world.platform.runJob(CaptureCompletedLessons())
            for _ in 0..<17 {
                world.platform.advance(by: Self.hour * 4)
                try await world.platform.runJob(RetryFailedCaptures())
            }
            #expect(try await world.booking(id).paymentStatus == .methodRequired)
            #expect(try await world.platform.count("users", where: "account_locked") == 0)
            world.platform.advance(by: Self.hour * 4)
            try await world.platform.runJob(RetryFailedCaptures())
            let booking = try await world.booking(id)
            #expect(booking.paymentStatus == .manualReview)
            #expect(booking.settlementOutcome == .captureFailurePaid)
            #expect(try await world.totals(id) == [.shareWithoutCharge: 8_500, .instructorTransfer: 8_500])
            #expect(
                try await world.platform.count(
                    "users", where: "account_locked AND id = \(world.studentID)") == 1)
            let keys = try await world.platform.database.read {
                try $0.values("SELECT key FROM money_steps WHERE kind = 'payout'", as: String.self)
            }
            #expect(keys == ["capture_failure_payout_\(id)"])
            world.platform.advance(by: Self.hour * 4)
            try await world.platform.runJob(RetryFailedCaptures())
            #expect(try await world.totals(id)[.instructorTransfer] == 8_500, "once")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHeldPriceIsPaidOutWhenTheNewLessonIsOver(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let old = try await world.authorizedLesson()
            try await world.carryOut(
                old, .lock, [.init(.capture, "lock_capture_\(old)"), .init(.reverse, "lock_reverse_\(old)")])
            #expect(try await world.booking(old).paymentStatus == .locked)
            let new = try await world.lesson(in: Self.hour * 48, payment: "locked")
            try await world.platform.execute(
                """
                UPDATE bookings SET has_locked_funds = TRUE, rescheduled_from_booking_id = \(old)
                WHERE id = \(new)
                """,
                """
                UPDATE bookings SET status = 'CANCELLED', cancelled_at = 1, rescheduled_to_booking_id = \(new)
                WHERE id = \(old)
                """)
            world.platform.advance(by: Self.hour * 72)
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(new).status == .confirmed, "an hour too early")
            world.platform.advance(by: Self.hour)
            try await world.platform.runJob(CaptureCompletedLessons())
            #expect(try await world.booking(new).status == .completed)
            #expect(try await world.booking(new).paymentStatus == .settled)
            #expect(try await world.booking(old).paymentStatus == .settled)
            #expect(
                try await world.balances(old) == [.providerClearing: 2_700, .platformFee: -2_700])
            #expect(try await world.summary(CaptureCompletedLessons.name).contains("held price"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPlanThatNobodyCarriesOutIsResumed(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.lesson(in: Self.hour * 24)
            try await world.platform.act { tx, context in
                var booking = try #require(try Booking.lock(id, tx))
                try MoneyPlan.start(
                    .authorize, [.init(.authorize, "auth_\(id)_1")], &booking, runs: false, tx, context)
            }
            try await world.platform.runJob(ResumePlans())
            #expect(try await world.booking(id).paymentStatus == .scheduled, "somebody may be at it")
            world.platform.advance(by: .seconds(120))
            try await world.platform.runJob(ResumePlans())
            #expect(try await world.booking(id).paymentStatus == .authorized)
            #expect(try await world.summary(ResumePlans.name) == "1 of 1 running plans resumed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func creditsThatNobodyUsedLapseAndAreNoLiabilityAnyMore(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let (student, booking, now) = (world.studentID, world.platform.newID(), world.platform.now)
            try await world.platform.act { tx, context in
                for (source, cents) in [("milestone_s5", 1_000), ("cancel_credit_12_24", 500)] {
                    try tx.run(
                        """
                        INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, \
                        source_booking_id, expires_at, status, created_at)
                        VALUES (\(context.newID()), \(student), \(cents), 'test', \(source), \(booking), \
                        \(now + .seconds(cents)), 'available', \(now))
                        """)
                }
                try Ledger.post(
                    [.init(.creditGranted, 1_500)], .init(student: student), key: "given", tx, context)
            }
            world.platform.advance(by: .seconds(500))
            try await world.platform.runJob(ExpireCredits())
            try await world.platform.runJob(ExpireCredits())
            #expect(
                try await world.platform.rows(
                    "SELECT amount_cents AS c, status AS s FROM platform_credits ORDER BY amount_cents")
                    == ["c=500 s=expired", "c=1000 s=available"])
            let balance = try await world.platform.database.read { try Ledger.trialBalance($0) }
            #expect(balance[.creditsLiability] == -1_000 && balance[.promotions] == 1_000)
            #expect(try await world.platform.audited("credit.expire") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSwitchNoticesThatNothingIsAuthorized(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.authorizedLesson()
            _ = try await world.lesson(in: Self.hour * 25 + .seconds(60))
            let check = {
                try await world.platform.runJob(CheckAuthorizationHealth())
                return try await world.platform.audited("payment.health_check")
            }
            #expect(try await check() == 0, "nothing is due")
            world.platform.advance(by: Self.hour * 2)
            #expect(try await check() == 0, "one is overdue for an hour, the last one was two hours ago")
            world.platform.advance(by: .seconds(60))
            #expect(try await check() == 1, "121 minutes of silence")
            #expect(AuthorizationHealth.latest != nil, "for the metrics of this process")
            try await world.platform.execute(
                "UPDATE bookings SET payment_status = 'authorized' WHERE id <> \(id)")
            #expect(try await check() == 1)
            for number in 1...6 { _ = try await world.lesson(in: Self.hour * (number * 2)) }
            #expect(try await check() == 2, "six are overdue")
        }
    }

    @Test(arguments: TestDatabase.available)
    func everyAccountIsSetToWeeklyPayouts(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            try await world.platform.runJob(AuditPayoutSchedules())
            #expect(try await world.summary(AuditPayoutSchedules.name) == "1 set to weekly")
            let account = try await world.sandbox.answer(StripeCall(.get, "accounts/\(world.account)")).body
            let schedule = account["settings"]?["payouts"]?["schedule"]
            #expect(schedule?["interval"] == "weekly" && schedule?["weekly_anchor"] == "tuesday")
        }
    }

    @Test(arguments: TestDatabase.available)
    func paymentHealthIsMeasured(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            _ = try await world.lesson(in: Self.hour * 24)
            var health = try await world.platform.call("celery_payment_health")
            #expect(health["overdue_authorizations"] == 1 && health["healthy"] == false)
            #expect(health["issues"]?[0]?["severity"] == "critical")
            try await world.platform.runJob(ProcessScheduledAuthorizations())
            try await world.platform.runJob(CaptureCompletedLessons())
            health = try await world.platform.call("celery_payment_health")
            #expect(health["healthy"] == .null, "one task has never run")
            try await world.platform.runJob(RetryFailedAuthorizations())
            health = try await world.platform.call("celery_payment_health")
            #expect(health["healthy"] == true && health["status"] == "ok" && health["problem"] == .null)
        }
    }

    @Test func theJobsRunAsTheScheduleSays() {
        let expected: [(any ScheduledJob.Type, String, String, String, Int)] = [
            (
                ProcessScheduledAuthorizations.self, "process-scheduled-authorizations", "*/5 * * * *",
                "payments", 9
            ),
            (RetryFailedAuthorizations.self, "retry-failed-authorizations", "*/15 * * * *", "payments", 8),
            (CaptureCompletedLessons.self, "capture-completed-lessons", "0 * * * *", "payments", 7),
            (RetryFailedCaptures.self, "retry-failed-captures", "0 */4 * * *", "payments", 6),
            (CheckAuthorizationHealth.self, "payment-health-check", "*/15 * * * *", "payments", 10),
            (AuditPayoutSchedules.self, "payout-schedule-audit", "0 3 * * *", "payments", 5),
        ]
        for (job, entry, cron, queue, priority) in expected {
            let schedules = job.schedules(Configuration())
            #expect(schedules.map(\.name) == [entry])
            #expect(schedules.first?.cadence == CronExpression(cron).map(Cadence.cron))
            #expect(job.queue.name == queue && job.priority == priority)
        }
    }
}
