import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Somebody does not come (domain specification §2.5).
@Suite struct NoShowTests {
    private func report(
        _ world: LessonWorld, _ id: ULID, _ type: String = "instructor", by actor: Actor? = nil
    ) async throws {
        _ = try await world.platform.call(
            "booking_report_no_show", ["id": .string(id.description), "no_show_type": .string(type)],
            as: actor ?? (type == "instructor" ? world.student : world.teacher.actor))
    }

    private func refusal(
        _ world: LessonWorld, _ id: ULID, _ type: String = "instructor", by actor: Actor
    ) async throws -> Failure? {
        try await world.platform.failure(
            "booking_report_no_show", ["id": .string(id.description), "no_show_type": .string(type)],
            as: actor)
    }

    private func dispute(
        _ world: LessonWorld, _ id: ULID, by actor: Actor, _ reason: String = "I was there, really"
    )
        async throws -> Failure?
    {
        try await world.platform.failure(
            "booking_dispute_no_show", ["id": .string(id.description), "reason": .string(reason)], as: actor)
    }

    private func resolve(_ world: LessonWorld, _ id: ULID, _ resolution: String) async throws {
        let admin = try await world.administrator()
        _ = try await world.platform.call(
            "admin_booking_resolve_no_show",
            ["id": .string(id.description), "resolution": .string(resolution), "admin_notes": "Called both"],
            as: admin)
        try await world.platform.drainJobs()
    }

    /// From the lesson's begin, and until exactly a day after its end.
    @Test(arguments: TestDatabase.available, [(Duration.zero, true), (.seconds(-25 * 3_600), true)])
    func itIsReportedFromTheBeginUntilADayAfterTheEnd(dialect: Dialect, edge: (Duration, Bool)) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            // One microsecond outside.
            try world.left(edge.0, edge.0 == .zero ? -1 : 1)
            if edge.0 == .zero {
                try world.left(.zero, 0)
                world.platform.clock.set(Instant(microseconds: try world.start.microseconds - 1))
            } else {
                world.platform.clock.set(
                    Instant(microseconds: try world.start.microseconds + 25 * 3_600_000_000 + 1))
            }
            #expect(try await refusal(world, id, by: world.student)?.reason == "no_show_window_closed")
            try world.left(edge.0)
            try await report(world, id)
            try await world.expect(id, .noShow, .manualReview, nil)
            #expect(try await world.events(id).last == "no_show_reported")
            #expect(try await world.notified(world.teacher.user).last == "booking.no_show")
            #expect(try await world.platform.audited("booking.no_show_reported") == 1)
            let rows = try await world.platform.rows(
                "SELECT type, previous_payment_status FROM booking_no_shows")
            #expect(rows == ["type=instructor previous_payment_status=authorized"])
            #expect(try await refusal(world, id, by: world.student)?.reason == "no_show_already_reported")
        }
    }

    @Test(arguments: TestDatabase.available)
    func eachReportsTheOtherAndAnAdministratorAnyone(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(.zero)
            #expect(try await refusal(world, id, "student", by: world.student)?.reason == "no_show_not_yours")
            let own = try await refusal(world, id, "instructor", by: world.teacher.actor)
            #expect(own?.reason == "no_show_not_yours")
            let stranger = try await world.platform.person(.student)
            #expect(try await refusal(world, id, by: stranger)?.code == .notFound)
            #expect(try await world.booking(id).status == .confirmed)
            try await report(world, id, "student", by: try await world.administrator())
            #expect(try await world.notified(world.studentID).last == "booking.no_show")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theAccusedDisputesOnceAndWithinADay(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(.zero)
            #expect(
                try await dispute(world, id, by: world.teacher.actor)?.reason == "no_show_not_reported")
            try await report(world, id)
            #expect(try await dispute(world, id, by: world.student)?.reason == "no_show_not_accused")
            #expect(try await dispute(world, id, by: world.teacher.actor, "too short")?.code == .invalidInput)
            let reported = world.platform.now
            world.platform.clock.set(Instant(microseconds: reported.microseconds + 86_400_000_001))
            #expect(
                try await dispute(world, id, by: world.teacher.actor)?.reason
                    == "no_show_dispute_window_closed")
            world.platform.clock.set(reported + .seconds(86_400))
            #expect(try await dispute(world, id, by: world.teacher.actor) == nil)
            #expect(try await world.notified(world.studentID).last == "booking.no_show_disputed")
            #expect(try await world.platform.audited("booking.no_show_disputed") == 1)
            #expect(
                try await dispute(world, id, by: world.teacher.actor)?.reason == "no_show_already_disputed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theInstructorDidNotComeAndTheAuthorizationIsReleased(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            try await world.give(credit: 3_000)
            let id = try await world.authorized()
            try world.left(.zero)
            try await report(world, id)
            try await resolve(world, id, "confirmed_after_review")
            try await world.expect(id, .noShow, .settled, .instructorNoShow)
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: 3_000, gifts: 3_000)
            let keys: [String] = try await world.platform.database.read {
                try $0.values("SELECT key FROM money_steps WHERE kind = 'cancel'")
            }
            #expect(keys == ["cancel_instructor_noshow_\(id)"])
            #expect(try await world.platform.audited("booking.no_show_resolved") == 1)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 3_000])
    func theInstructorDidNotComeAndWhatWasCapturedGoesBack(dialect: Dialect, gift: Int) async throws {
        try await LessonWorld.with(dialect) { world in
            if gift > 0 { try await world.give(credit: gift) }
            let id = try await world.captured()
            try world.left(.zero - LessonWorld.hour * 2)
            try await report(world, id)
            try await resolve(world, id, "confirmed_after_review")
            try await world.expect(id, .noShow, .settled, .instructorNoShow)
            #expect(try await world.events(id).last == "no_show_refunded")
            try await world.expectMoney(card: 0, teacher: 0, platform: 0, credits: gift, gifts: gift)
        }
    }

    @Test(arguments: TestDatabase.available, [0, 3_000])
    func theStudentDidNotComeAndTheTeacherIsPaid(dialect: Dialect, gift: Int) async throws {
        try await LessonWorld.with(dialect) { world in
            if gift > 0 { try await world.give(credit: gift) }
            let id = try await world.authorized()
            try world.left(.zero)
            try await report(world, id, "student")
            // Nobody disputes it for a day.
            world.platform.advance(by: .seconds(86_399))
            try await world.platform.runJob(ResolveUndisputedNoShows())
            try await world.expect(id, .noShow, .manualReview, nil)
            world.platform.advance(by: .seconds(1))
            try await world.platform.runJob(ResolveUndisputedNoShows())
            try await world.expect(id, .noShow, .settled, .studentNoShow)
            #expect(
                try await world.platform.value("SELECT resolution FROM booking_no_shows")
                    == "confirmed_no_dispute")
            #expect(try await world.payment(id).capturedAt == world.platform.now)
            try await world.expectMoney(
                card: 11_200 - gift, teacher: 8_500, platform: 2_700, gifts: gift)
        }
    }

    @Test(arguments: TestDatabase.available)
    func neverAuthorizedThereIsNothingToTake(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(.zero)
            try await report(world, id, "student")
            try await resolve(world, id, "confirmed_after_review")
            try await world.expect(id, .noShow, .manualReview, nil)
            #expect(try await world.events(id).contains("capture_skipped_no_intent"))
            try await world.expectMoney(card: 0, teacher: 0, platform: 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anUpheldDisputeCompletesTheLesson(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            try world.left(.zero)
            try await report(world, id)
            #expect(try await dispute(world, id, by: world.teacher.actor) == nil)
            try await resolve(world, id, "dispute_upheld")
            try await world.expect(id, .completed, .settled, .lessonCompletedFullPayout)
            #expect(try await world.booking(id).completedAt == world.booking(id).end)
            try await world.expectMoney(card: 11_200, teacher: 8_500, platform: 2_700)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReportTakenBackLeavesEverythingAsItWas(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            let confirmed = try await world.booking(id).confirmedAt
            try world.left(.zero)
            try await report(world, id)
            try await resolve(world, id, "cancelled")
            try await world.expect(id, .confirmed, .authorized, nil)
            #expect(try await world.booking(id).confirmedAt == confirmed)
            let admin = try await world.administrator()
            let again = try await world.platform.failure(
                "admin_booking_resolve_no_show",
                ["id": .string(id.description), "resolution": "cancelled"], as: admin)
            #expect(again?.reason == "no_show_resolved")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReportTakenBackOfASettledLessonLeavesItSettled(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.captured()
            try world.left(.zero - LessonWorld.hour * 2)
            let completed = try await world.booking(id).completedAt
            try await report(world, id)
            try await resolve(world, id, "cancelled")
            try await world.expect(id, .completed, .settled, .lessonCompletedFullPayout)
            #expect(try await world.booking(id).completedAt == completed)
            try await world.expectMoney(card: 11_200, teacher: 8_500, platform: 2_700)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReportTakenBackOfALessonWithoutAPaymentAsksForOne(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.scheduled()
            try world.left(.zero)
            try await report(world, id)
            try await resolve(world, id, "cancelled")
            try await world.expect(id, .confirmed, .methodRequired, nil)
        }
    }

    /// A lesson that was moved late has no money of its own: what is held is given to whom it belongs.
    @Test(arguments: TestDatabase.available, ["instructor", "student"])
    func aHeldPriceIsResolvedInstead(dialect: Dialect, type: String) async throws {
        try await LessonWorld.with(dialect) { world in
            let old = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let new = try await RescheduleTests.move(world, old)
            world.platform.clock.set(try world.moment("12:00", on: world.day.adding(days: 1)))
            try await report(world, new, type)
            try await world.expect(new, .noShow, .manualReview, nil)
            try await resolve(world, new, "confirmed_after_review")
            let outcome: SettlementOutcome = type == "instructor" ? .instructorNoShow : .studentNoShow
            try await world.expect(old, .cancelled, .settled, outcome)
            try await world.expect(new, .noShow, .settled, outcome)
            if type == "instructor" {
                try await world.expectMoney(card: 0, teacher: 0, platform: 0)
            } else {
                try await world.expectMoney(card: 11_200, teacher: 8_500, platform: 2_700)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHeldPriceIsHeldAgainWhenTheReportIsTakenBack(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let old = try await world.authorized()
            try world.left(LessonWorld.hour * 18)
            let new = try await RescheduleTests.move(world, old)
            world.platform.clock.set(try world.moment("12:00", on: world.day.adding(days: 1)))
            try await report(world, new)
            try await resolve(world, new, "cancelled")
            try await world.expect(new, .confirmed, .locked, nil)
        }
    }
}
