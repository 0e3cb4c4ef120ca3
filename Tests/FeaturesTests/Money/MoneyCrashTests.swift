import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Whatever goes wrong between any two steps of a plan, the provider sees each effect once.
@Suite(.timeLimit(.minutes(20)))
struct MoneyCrashTests {
    /// What is done with money, from a booked lesson to the end.
    enum Story: String, CaseIterable, Sendable {
        case capturedLesson, lessonPaidMostlyWithCredits, cancelledADayAhead, cancelledHalfADayAhead
        case cancelledAtTheLastMinute, cancelledByInstructor, cancelledByInstructorAfterCapture
        case refundedInPart, refundedWhole, disputedAndWon, disputedAndLost

        func tell(_ world: MoneyWorld) async throws {
            let day = Duration.seconds(86_400)
            if self == .lessonPaidMostlyWithCredits { try await world.give(credit: 9_000) }
            let id = try await world.book(startingIn: day)
            try await world.authorize(id)
            let clock = world.platform.clock
            switch self {
            case .capturedLesson, .lessonPaidMostlyWithCredits: try await held(id, world)
            case .cancelledADayAhead:
                try await world.platform.execute(
                    "UPDATE bookings SET booking_start_utc = booking_start_utc + \(86_400_000_000), "
                        + "booking_end_utc = booking_end_utc + \(86_400_000_000) WHERE id = \(id)")
                try await world.cancel(id, by: .student)
            case .cancelledHalfADayAhead:
                clock.advance(by: .seconds(10 * 3_600))
                try await world.cancel(id, by: .student)
            case .cancelledAtTheLastMinute:
                clock.advance(by: .seconds(20 * 3_600))
                try await world.cancel(id, by: .student)
            case .cancelledByInstructor: try await world.cancel(id, by: .instructor)
            case .cancelledByInstructorAfterCapture:
                try await world.change(id) { booking, tx, context in
                    try MoneyPlan.start(.capture, [.init(.capture, "capture_\(id)")], &booking, tx, context)
                }
                try await world.settle()
                try await world.cancel(id, by: .instructor)
            case .refundedInPart, .refundedWhole:
                try await held(id, world)
                let cents = self == .refundedInPart ? 5_001 : try await world.payment(id).capturedCents
                try await world.change(id) { booking, tx, context in
                    try MoneyPlan.start(
                        .adminRefund, [.init(.refund, "admin_refund_\(id)_\(cents)", cents: cents)], &booking,
                        outcome: .adminRefund, tx, context)
                }
                try await world.settle()
            case .disputedAndWon, .disputedAndLost:
                try await held(id, world)
                try await dispute(id, world)
            }
        }

        private func held(_ id: ULID, _ world: MoneyWorld) async throws {
            world.platform.clock.advance(by: .seconds(50 * 3_600))
            try await world.capture(id)
        }

        private func dispute(_ id: ULID, _ world: MoneyWorld) async throws {
            let platform = world.platform
            let intent = try #require(try await world.payment(id).intentID)
            let opened = Int(platform.now.microseconds / 1_000_000 - TestClock.start.microseconds / 1_000_000)
            func tell(_ number: Int, _ type: String, _ status: String) async throws {
                try await platform.deliver(
                    stripe: StripeEvents.dispute(
                        "evt_\(id)_\(number)", type, status, dispute: "dp_\(id)", intent: intent,
                        opened: opened, at: opened + number))
                try await world.platform.finishWebhooks()
                try await world.settle()
            }
            try await tell(1, "created", "needs_response")
            platform.clock.advance(by: .seconds(60))
            try await tell(2, "closed", self == .disputedAndWon ? "won" : "lost")
        }
    }

    @Test(arguments: TestDatabase.available, Story.allCases)
    func everyEffectHappensOnce(dialect: Dialect, story: Story) async throws {
        try await TestPlatform.with(dialect) { platform in
            let calm = try await MoneyWorld.make(platform)
            try await story.tell(calm)
            let expected = try await calm.digest()
            #expect(calm.stripe.sent > 0)
            for call in 1...calm.stripe.sent {
                for fault in UnreliableProvider.Fault.allCases {
                    let world = try await MoneyWorld.make(platform)
                    world.stripe.plan(fault, at: call)
                    try await story.tell(world)
                    let found = try await world.digest()
                    #expect(found == expected, "\(fault) at call \(call)")
                }
            }
            let trial = try await platform.database.read { try Ledger.trialBalance($0) }
            #expect(trial.values.reduce(0, +) == 0)
        }
    }

    /// When a booking's money is settled, nothing of it is left between its parties.
    @Test(arguments: TestDatabase.available, Story.allCases)
    func nothingIsLeftOpen(dialect: Dialect, story: Story) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await MoneyWorld.make(platform)
            try await story.tell(world)
            let ids: [ULID] = try await platform.database.read { db in
                try db.values("SELECT id FROM bookings WHERE payment_status = 'settled'")
            }
            #expect(ids.count == 1)
            for id in ids {
                let balances = try await platform.database.read { try Ledger.balances(booking: id, $0) }
                for account in [LedgerAccount.studentReceivable, .instructorPayable, .refunds, .disputes] {
                    #expect(balances[account] ?? 0 == 0, "\(account)")
                }
            }
        }
    }
}

extension TestPlatform {
    /// Runs jobs that are due now, among them those that process webhooks.
    func finishWebhooks() async throws { try await drainJobs() }
}
