import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Moving a lesson (domain specification §2.5).
@Suite struct RescheduleTests {
    /// The lesson at another time, the day after unless told otherwise.
    private static func arguments(
        _ world: LessonWorld, _ id: ULID, at time: String = "12:00", on day: CalendarDay? = nil,
        _ more: JSONObject = [:]
    ) -> JSONObject {
        let base: JSONObject = [
            "id": .string(id.description),
            "booking_date": .string((day ?? world.day.adding(days: 1)).description),
            "start_time": .string(time),
        ]
        return base.merging(more)
    }

    static func move(
        _ world: LessonWorld, _ id: ULID, at time: String = "12:00", on day: CalendarDay? = nil,
        by actor: Actor? = nil, _ more: JSONObject = [:]
    ) async throws -> ULID {
        let answer = try await world.platform.call(
            "booking_reschedule", arguments(world, id, at: time, on: day, more), as: actor ?? world.student)
        try await world.platform.drainJobs()
        guard let new = answer["id"]?.stringValue.flatMap({ ULID($0) }) else {
            throw Failure(.internal, "no booking")
        }
        return new
    }

    private func refusal(
        _ world: LessonWorld, _ id: ULID, at time: String = "12:00", on day: CalendarDay? = nil,
        by actor: Actor? = nil, _ more: JSONObject = [:]
    ) async throws -> Failure? {
        try await world.platform.failure(
            "booking_reschedule", Self.arguments(world, id, at: time, on: day, more),
            as: actor ?? world.student)
    }

    @Test(arguments: TestDatabase.available)
    func aDayAheadTheScheduledPaymentMovesWithTheLesson(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(LessonWorld.hour * 24)
            let new = try await Self.move(world, id)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expect(new, .confirmed, .scheduled, nil)
            let (old, booking) = (try await world.booking(id), try await world.booking(new))
            #expect(old.rescheduledTo == new && booking.rescheduledFrom == id)
            #expect(booking.rescheduleCount == 1 && !booking.lateRescheduleUsed && !booking.isGaming)
            #expect(booking.originalLesson == old.start && !booking.hasLockedFunds)
            #expect(booking.start == (try world.moment("12:00", on: world.day.adding(days: 1))))
            let payment = try await world.payment(new)
            #expect(payment.authScheduledFor == booking.start - LessonWorld.hour * 24)
            #expect(payment.methodID != nil)
            #expect(try await world.platform.count("booking_payments") == 1)
            let reason: String? = try await world.platform.value(
                "SELECT cancellation_reason FROM bookings WHERE id = \(id)")
            #expect(reason == "Rescheduled")
            #expect(try await world.notified(world.teacher.user).last == "booking.rescheduled")
            #expect(
                try await world.platform.count(
                    "messages", where: "message_type = 'system_booking_rescheduled'") == 1)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAuthorizedPaymentAndItsCreditsBelongToTheNewLesson(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 30)
            let new = try await Self.move(world, id)
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expect(new, .confirmed, .authorized, nil)
            let intents = try await world.platform.rows("SELECT booking_id, status FROM payment_intents")
            #expect(intents == ["booking_id=\(new) status=requires_capture"])
            #expect(try await world.payment(new).creditsReserved == 3_000)
            let reserved: ULID? = try await world.platform.value(
                "SELECT reserved_for_booking_id FROM platform_credits WHERE status = 'reserved'")
            #expect(reserved == new)
            // And is what the new lesson is cancelled with.
            try world.left(LessonWorld.hour * 20)
            try await world.cancel(new, by: world.student)
            try await world.expect(new, .cancelled, .settled, .studentCancelFree)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theInstructorMovesALessonLateAndNothingIsHeld(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 14)
            let new = try await Self.move(world, id, by: world.teacher.actor)
            try await world.expect(new, .confirmed, .authorized, nil)
            let booking = try await world.booking(new)
            #expect(!booking.isGaming && !booking.lateRescheduleUsed && booking.originalLesson == nil)
            // So the student may still cancel for nothing.
            try world.left(LessonWorld.hour * -1)
            try await world.cancel(new, by: world.student)
            try await world.expect(new, .cancelled, .settled, .studentCancelFree)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func intoTheNextDayItIsPaidForAtOnce(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(LessonWorld.hour * 30)
            let new = try await Self.move(world, id, at: "20:00", on: world.day.adding(days: -1))
            try await world.expect(new, .confirmed, .authorized, nil)
            #expect(try await world.events(new).contains("auth_immediate"))
            #expect(try await world.platform.count("payment_intents") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anotherPriceIsPaidAnewAndTheOldPaymentReleased(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 30)
            let new = try await Self.move(world, id, ["selected_duration": 90])
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expect(new, .confirmed, .scheduled, nil)
            #expect(try await world.booking(new).priceCents == 15_000)
            let intents = try await world.platform.rows("SELECT booking_id, status FROM payment_intents")
            #expect(intents == ["booking_id=\(id) status=canceled"])
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAuthorizationThatWouldRunOutIsReplaced(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 30)
            let new = try await Self.move(world, id, on: world.day.adding(days: 9))
            try await world.expect(id, .cancelled, .settled, .studentCancelFree)
            try await world.expect(new, .confirmed, .scheduled, nil)
            let status: String? = try await world.platform.value("SELECT status FROM payment_intents")
            #expect(status == "canceled")
        }
    }

    @Test(arguments: TestDatabase.available)
    func thePriceIsTheOneThatWasBooked(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try await world.change("instructor_services", "hourly_rate_cents = 15000")
            let new = try await Self.move(world, id)
            let booking = try await world.booking(new)
            #expect(booking.priceCents == 10_000 && booking.hourlyRateCents == 10_000)
            try await world.expect(new, .confirmed, .authorized, nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLessonNotPaidForIsPaidWithTheDefaultCard(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let pending = try await world.book(world.arguments(at: "15:00"))
            let none = try await refusal(world, pending)
            #expect(none?.code == .conflict && none?.reason == "payment_method_required_for_reschedule")
            #expect(try await world.booking(pending).status == .pending, "nothing was changed")
            _ = try await world.scheduled()
            let new = try await Self.move(world, pending, at: "17:00")
            try await world.expect(pending, .cancelled, .settled, .studentCancelFree)
            try await world.expect(new, .confirmed, .scheduled, nil)
        }
    }

    /// Exactly 12 hours ahead it may be moved; one microsecond later no more.
    @Test(arguments: TestDatabase.available)
    func theLastMomentIsTwelveHoursAhead(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 12, -1)
            #expect(try await refusal(world, id)?.reason == "reschedule_window_closed")
            #expect(
                try await refusal(world, id, by: world.teacher.actor)?.reason == "reschedule_window_closed")
            try world.left(LessonWorld.hour * 12)
            let new = try await Self.move(world, id)
            try await world.expect(new, .confirmed, .locked, nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onceIsEnough(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let new = try await Self.move(world, id)
            #expect(try await refusal(world, new, at: "14:00")?.reason == "reschedule_locked")
            try await world.platform.execute(
                "UPDATE bookings SET payment_status = 'authorized' WHERE id = \(new)")
            #expect(try await refusal(world, new, at: "14:00")?.reason == "reschedule_limit_reached")
            #expect(try await refusal(world, id, at: "14:00")?.reason == "booking_not_reschedulable")
            let stranger = try await world.platform.person(.student)
            #expect(try await refusal(world, new, by: stranger)?.code == .notFound)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theChecksOfABookingHoldAndItsOwnTimeIsFree(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            let other = try await world.book(
                world.arguments(at: "14:00"), as: try await world.platform.person(.student))
            try await world.platform.execute("UPDATE bookings SET status = 'CONFIRMED' WHERE id = \(other)")
            let taken = try await refusal(world, id, at: "14:30", on: world.day)
            #expect(taken?.reason == "booking_conflict_instructor")
            let day = world.day.adding(days: 2)
            let (blackout, now) = (world.platform.newID(), world.platform.now)
            try await world.platform.execute(
                """
                INSERT INTO blackout_dates (id, instructor_id, date, created_at)
                VALUES (\(blackout), \(world.teacher.user), \(day), \(now))
                """)
            #expect(try await refusal(world, id, on: day)?.reason == "instructor_blackout")
            let far = world.day.adding(days: 40)
            #expect(try await refusal(world, id, on: far)?.reason == "time_not_available")
            let odd = try await refusal(world, id, at: "10:05", on: world.day)
            #expect(odd?.reason == "start_not_aligned")
            let long = try await refusal(world, id, ["selected_duration": 45])
            #expect(long?.reason == "duration_not_offered")
            // Half an hour later overlaps nobody but itself.
            let new = try await Self.move(world, id, at: "10:30", on: world.day)
            #expect(try await world.booking(new).status == .confirmed)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whereItTakesPlaceStays(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.book(world.arguments(["student_note": "My first lesson"]))
            try await world.confirm(id, try await world.card(for: id), save: true)
            let new = try await Self.move(world, id)
            let note: String? = try await world.platform.value(
                "SELECT student_note FROM bookings WHERE id = \(new)")
            #expect(note == "My first lesson")
            #expect(try await world.platform.audited("booking.create") == 2)
            #expect(try await world.platform.audited("booking.cancel") == 1)
        }
    }
}
