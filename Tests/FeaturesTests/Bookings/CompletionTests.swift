import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Instructors say how their lessons went.
@Suite struct CompletionTests {
    @Test(arguments: TestDatabase.available, ["booking_complete", "instructor_booking_complete"])
    func onesOwnLessonIsCompletedOnceItHasEnded(dialect: Dialect, name: String) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            let arguments: JSONObject = ["id": .string(id.description)]
            func refusal(_ actor: Actor) async throws -> Failure? {
                try await world.platform.failure(name, arguments, as: actor)
            }
            try world.left(.zero - LessonWorld.hour, -1)
            world.platform.clock.set(
                Instant(microseconds: try await world.booking(id).end.microseconds - 1))
            #expect(try await refusal(world.teacher.actor)?.reason == "lesson_not_over")
            world.platform.clock.set(try await world.booking(id).end)
            #expect(try await refusal(world.student)?.code == .forbidden)
            let stranger = try await world.platform.teacher()
            #expect(try await refusal(stranger.actor)?.code == .notFound)
            let view = try await world.platform.call(name, arguments, as: world.teacher.actor)
            #expect(view["status"]?.stringValue == "COMPLETED")
            let booking = try await world.booking(id)
            #expect(booking.completedAt == world.platform.now && booking.paymentStatus == .authorized)
            #expect(try await world.events(id).last == "instructor_marked_complete")
            #expect(try await world.platform.audited("booking.complete") == 1)
            #expect(try await world.notified(world.studentID).last == "booking.completed")
            #expect(try await refusal(world.teacher.actor)?.reason == "booking_not_confirmed")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDisputedCompletionIsLookedAtBeforeAnythingIsTaken(dialect: Dialect) async throws {
        try await LessonWorld.with(dialect) { world in
            let id = try await world.authorized()
            let arguments: JSONObject = ["id": .string(id.description), "reason": "It took two hours"]
            let name = "instructor_booking_dispute"
            let stranger = try await world.platform.teacher()
            #expect(try await world.platform.failure(name, arguments, as: stranger.actor)?.code == .notFound)
            let view = try await world.platform.call(name, arguments, as: world.teacher.actor)
            #expect(view["payment_status"]?.stringValue == "manual_review")
            #expect(try await world.events(id).last == "completion_disputed")
            let again = try await world.platform.failure(name, arguments, as: world.teacher.actor)
            #expect(again?.reason == "payment_not_authorized")
        }
    }
}
