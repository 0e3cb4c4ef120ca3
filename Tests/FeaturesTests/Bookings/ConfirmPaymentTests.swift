import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// How a pending lesson is paid for and takes place (domain specification §2.3).
@Suite struct ConfirmPaymentTests {
    private func world(_ dialect: Dialect, _ body: (LessonWorld) async throws -> Void) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await world.connect()
            try await body(world)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDayAheadTheCardIsChargedLaterAndTheLessonConfirmed(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let card = try await world.card(for: id)
            let start = try world.moment("10:00")
            world.platform.clock.set(start - .seconds(86_400))
            let view = try await world.confirm(id, card)
            #expect(view["status"]?.stringValue == "CONFIRMED")
            #expect(view["payment_status"]?.stringValue == "scheduled")
            #expect(view["auth_scheduled_for"]?.stringValue == (start - .seconds(86_400)).description)
            #expect(view["confirmed_at"]?.stringValue == world.platform.now.description)
            #expect(try await world.payment(id).methodID == card)
            #expect(try await world.events(id) == ["setup_intent_created", "auth_scheduled"])
            #expect(try await world.notified(world.teacher.user) == ["booking.confirmed"])
            #expect(try await world.notified(world.studentID) == ["booking.created", "booking.confirmed"])
            let messages = try await world.platform.rows("SELECT message_type, booking_id FROM messages")
            #expect(messages == ["message_type=system_booking_created booking_id=\(id)"])
            #expect(try await world.platform.count("payment_intents") == 0)
            // Now the time is taken.
            #expect(
                try await world.check(world.arguments(at: "10:30")) == "booking_conflict_instructor")
        }
    }

    @Test(arguments: TestDatabase.available)
    func withinADayTheCardIsChargedNow(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let card = try await world.card(for: id)
            world.platform.clock.set(
                Instant(microseconds: try world.moment("10:00").microseconds - 86_400_000_000 + 1))
            let view = try await world.confirm(id, card)
            #expect(view["status"]?.stringValue == "PENDING")
            #expect(view["is_payment_in_progress"]?.boolValue == true)
            try await world.platform.drainJobs()
            let booking = try await world.booking(id)
            #expect(booking.status == .confirmed && booking.paymentStatus == .authorized)
            #expect(
                try await world.events(id) == ["setup_intent_created", "auth_immediate", "auth_succeeded"])
            let amounts = try await world.platform.rows("SELECT amount, status FROM payment_intents")
            #expect(amounts == ["amount=11200 status=requires_capture"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonMovedAtTheLastMomentIsPaidForNow(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let card = try await world.card(for: id)
            let original = world.platform.now + .seconds(23 * 3_600)
            try await world.platform.execute("UPDATE bookings SET original_lesson_datetime = \(original)")
            try await world.confirm(id, card)
            #expect(try await world.events(id).last == "auth_immediate")
            try await world.platform.drainJobs()
            #expect(try await world.booking(id).paymentStatus == .authorized)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusedCardIsReplacedAndTriedAgain(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let bad = try await world.card("pm_card_chargeDeclined", for: id)
            world.platform.clock.set(try world.moment("00:00"))
            try await world.confirm(id, bad)
            let busy = try await world.platform.failure(
                "booking_retry_payment", ["id": .string(id.description)], as: world.student)
            #expect(busy?.reason == "operation_in_progress")
            try await world.platform.drainJobs()
            let booking = try await world.booking(id)
            #expect(booking.status == .pending && booking.paymentStatus == .methodRequired)
            #expect(try await world.events(id).last == "auth_failed")
            #expect(try await world.payment(id).authFailureCount == 1)
            // Another card.
            let replaced = try await world.platform.call(
                "booking_replace_card",
                ["id": .string(id.description), "payment_method_id": "pm_card_visa"], as: world.student)
            #expect(replaced["status"]?.stringValue == "PENDING")
            _ = try await world.platform.call(
                "booking_retry_payment", ["id": .string(id.description)], as: world.student)
            try await world.platform.drainJobs()
            #expect(try await world.booking(id).status == .confirmed)
            #expect(try await world.events(id).suffix(2) == ["auth_retry_attempted", "auth_retry_succeeded"])
            for name in ["booking_retry_payment", "booking_replace_card"] {
                let failure = try await world.platform.failure(
                    name,
                    name == "booking_retry_payment"
                        ? ["id": .string(id.description)]
                        : ["id": .string(id.description), "payment_method_id": "pm_card_visa"],
                    as: world.student)
                #expect(failure?.reason == "payment_not_required")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoDoesNotPayInHalfAnHourLosesTheBooking(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let bad = try await world.card("pm_card_chargeDeclinedInsufficientFunds", for: id)
            world.platform.clock.set(try world.moment("00:00"))
            try await world.confirm(id, bad)
            try await world.platform.drainJobs()
            world.platform.advance(by: .seconds(1_799))
            try await world.platform.drainJobs()
            #expect(try await world.booking(id).status == .pending)
            world.platform.advance(by: .seconds(1))
            try await world.platform.drainJobs()
            let booking = try await world.booking(id)
            #expect(booking.status == .paymentFailed && booking.paymentStatus == .settled)
            #expect(try await world.notified(world.teacher.user) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyTheStudentConfirmsAndOnlyWhatIsPending(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let card = try await world.card(for: id)
            func refusal(_ actor: Actor, _ id: ULID) async throws -> Failure? {
                try await world.platform.failure(
                    "booking_confirm_payment", world.confirmation(id, card), as: actor)
            }
            let other = try await world.platform.person(.student)
            #expect(try await refusal(other, id)?.code == .notFound)
            #expect(try await refusal(world.teacher.actor, id)?.code == .forbidden)
            #expect(try await refusal(world.student, world.service)?.code == .notFound)
            try await world.confirm(id, card)
            #expect(try await refusal(world.student, id)?.code == .notFound, "it is confirmed")
            // A lesson that has begun is not paid for any more.
            let late = try await world.book(world.arguments(at: "15:00"))
            world.platform.clock.set(try world.moment("15:00"))
            #expect(try await refusal(world.student, late)?.reason == "lesson_has_begun")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCardIsTheStudentsOwn(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            let thief = try await world.platform.person(.student)
            let theirs = try await world.book(world.arguments(at: "15:00"), as: thief)
            let card = try await world.card(for: id)
            for stolen in [card, "pm_unknown"] {
                let failure = try await world.platform.failure(
                    "booking_confirm_payment", world.confirmation(theirs, stolen), as: thief)
                #expect(failure?.reason == "payment_method_not_found")
            }
            #expect(try await world.booking(theirs).status == .pending)
            try await world.confirm(id, card)
            #expect(try await world.platform.count("payment_methods") == 0, "it was not to be kept")
            let second = try await world.book(world.arguments(at: "18:00"))
            try await world.confirm(second, card, save: true)
            let third = try await world.book(world.arguments(at: "20:00"))
            try await world.confirm(third, "pm_card_mastercard", save: true)
            let kept = try await world.platform.rows(
                "SELECT brand, last4, is_default FROM payment_methods ORDER BY id")
            #expect(
                kept == ["brand=visa last4=4242 is_default=1", "brand=mastercard last4=4444 is_default=0"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theFasterOneGetsTheTime(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let rival = try await world.platform.person(.student)
            let mine = try await world.book()
            let theirs = try await world.book(world.arguments(at: "10:30"), as: rival)
            let near = try await world.book(world.arguments(at: "11:00"), as: rival)
            // One student, two teachers.
            let other = try await LessonWorld.make(world.platform)
            let elsewhere = try await other.book(other.arguments(at: "10:30"), as: world.student)
            try await world.confirm(mine, "pm_card_visa")
            for id in [theirs, near] {
                let failure = try await world.platform.failure(
                    "booking_confirm_payment", world.confirmation(id, "pm_card_visa"), as: rival)
                #expect(failure?.code == .conflict)
                #expect(failure?.details["conflict_scope"]?.stringValue == "instructor")
                #expect(try await world.booking(id).status == .pending)
            }
            let failure = try await world.platform.failure(
                "booking_confirm_payment", world.confirmation(elsewhere, "pm_card_visa"), as: world.student)
            #expect(failure?.details["conflict_scope"]?.stringValue == "student")
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofAHundredWhoConfirmOneTimeOneGetsIt(dialect: Dialect) async throws {
        try await world(dialect) { world in
            var bookings: [(actor: Actor, id: ULID)] = []
            for _ in 0..<100 {
                let student = try await world.platform.person(.student)
                bookings.append((student, try await world.book(as: student)))
            }
            let reasons = try await withThrowingTaskGroup(of: String?.self) { group in
                for (actor, id) in bookings {
                    group.addTask {
                        try await world.platform.failure(
                            "booking_confirm_payment", world.confirmation(id, "pm_card_visa"), as: actor
                        )?.reason
                    }
                }
                return try await group.reduce(into: [String?: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(reasons == [nil: 1, "booking_conflict_instructor": 99])
            #expect(try await world.platform.count("bookings", where: "status = 'CONFIRMED'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoseTimeIsTakenWhileTheBankIsAskedIsNotCharged(dialect: Dialect) async throws {
        try await world(dialect) { world in
            let id = try await world.book()
            world.platform.clock.set(try world.moment("00:00"))
            try await world.confirm(id, "pm_card_visa")
            try await world.platform.book(
                world.teacher, from: world.moment("10:30"), to: world.moment("11:30"))
            try await world.platform.drainJobs()
            let booking = try await world.booking(id)
            #expect(booking.status == .cancelled && booking.paymentStatus == .settled)
            #expect(booking.settlementOutcome == .studentCancelFree)
            let intents = try await world.platform.rows("SELECT status FROM payment_intents")
            #expect(intents == ["status=canceled"])
            #expect(try await world.notified(world.studentID).last == "booking.time_taken")
            #expect(try await world.notified(world.teacher.user) == [])
        }
    }
}
