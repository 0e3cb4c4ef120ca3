import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct ReferralPayoutTests {
    /// A payout for an instructor who completed their first lesson.
    static func payout(_ platform: TestPlatform) async throws -> ULID {
        let (referrer, instructor) = try await ReferralTests.pair(platform)
        try await platform.givenPayoutAccount(referrer)
        let ids = try await platform.act { tx, context in
            try (0..<2).map { _ in
                try InstructorReferral.firstLessonCompleted(
                    instructor: instructor, booking: context.newID(), tx, context)
            }
        }
        #expect(ids[1] == nil, "one for each instructor")
        // The account is given up before it is paid to.
        try await platform.execute("DELETE FROM stripe_connected_accounts")
        return try #require(ids[0])
    }

    static func find(_ platform: TestPlatform, _ id: ULID) async throws -> InstructorReferralPayout {
        try #require(try await platform.database.read { try InstructorReferralPayout.find(id, $0) })
    }

    static func apply(_ platform: TestPlatform, _ id: ULID, _ outcome: TransferPort.Outcome) async throws {
        let payout = try await find(platform, id)
        try await platform.act { tx, context in try payout.apply(outcome, tx, context) }
    }

    @Test(arguments: TestDatabase.available)
    func withoutAnAccountAPayoutWaitsAndSaysWhy(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let id = try await Self.payout(platform)
            #expect(try await platform.drainJobs() == 1)
            let payout = try await Self.find(platform, id)
            #expect(payout.status == .pending && payout.transferID == nil)
            #expect(payout.reason == "there is no account yet that money can be paid to")
            #expect(payout.amountCents == 7_500 && payout.isFoundingBonus)
            #expect(payout.idempotencyKey == "instructor_referral_\(payout.referredInstructor)")
            #expect(try await platform.count("jobs") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyAnInstructorsFirstLessonEarnsAndOnlyWhoCanBePaid(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (referrer, instructor) = try await ReferralTests.pair(platform)
            let student = try await platform.newUser()
            let first = try await platform.givenBooking(student: student, instructor: instructor)
            let complete = { (booking: ULID) in
                try await platform.act { tx, context in
                    try InstructorReferral.firstLessonCompleted(
                        instructor: instructor, booking: booking, tx, context)
                }
            }
            #expect(try await complete(first) == nil, "the referrer has no account")
            try await platform.givenPayoutAccount(referrer)
            for ended in ["onboarding_completed = FALSE", "deauthorized_at = 1"] as [SQL] {
                try await platform.execute("UPDATE stripe_connected_accounts SET \(ended)")
                #expect(try await complete(first) == nil)
                try await platform.execute(
                    """
                    UPDATE stripe_connected_accounts SET onboarding_completed = TRUE, deauthorized_at = NULL
                    """)
            }
            let second = try await platform.givenBooking(student: student, instructor: instructor)
            #expect(try await complete(second) == nil, "not the first")
            try await platform.execute("DELETE FROM bookings WHERE id = \(second)")
            #expect(try await complete(first) != nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorWhomNobodyBroughtEarnsNothing(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let id = try await platform.act { tx, context in
                try InstructorReferral.firstLessonCompleted(
                    instructor: context.newID(), booking: context.newID(), tx, context)
            }
            #expect(id == nil)
            #expect(try await platform.count("instructor_referral_payouts") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSweepFindsPayoutsThatWaitLongerThanFiveMinutes(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await Self.payout(platform)
            try await platform.drainJobs()
            let sweep = {
                try await platform.act { tx, _ in _ = try tx.enqueue(CheckPendingReferralPayouts()) }
                return try await platform.drainJobs() - 1
            }
            platform.advance(by: .seconds(300))
            #expect(try await sweep() == 0)
            platform.advance(by: .microseconds(1))
            #expect(try await sweep() == 1)
            #expect(try await sweep() == 0, "it was tried a moment ago")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCompletedPayoutStaysSo(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let id = try await Self.payout(platform)
            try await Self.apply(platform, id, .pending(reason: "no answer"))
            #expect(try await Self.find(platform, id).reason == "no answer")
            try await Self.apply(platform, id, .completed(id: "tr_1"))
            try await Self.apply(platform, id, .refused(reason: "late answer"))
            let payout = try await Self.find(platform, id)
            #expect(payout.status == .completed && payout.transferID == "tr_1")
            #expect(payout.transferredAt == platform.now && payout.reason == nil)
            await #expect(throws: StorageError.self, "not completed without a transfer") {
                try await platform.execute(
                    "UPDATE instructor_referral_payouts SET stripe_transfer_id = NULL")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aFailedPayoutIsRetriedForAWeek(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let id = try await Self.payout(platform)
            try await platform.drainJobs()
            let retry = {
                try await platform.act { tx, _ in _ = try tx.enqueue(RetryFailedReferralPayouts()) }
                return try await platform.drainJobs() - 1
            }
            try await Self.apply(platform, id, .refused(reason: String(repeating: "x", count: 600)))
            var payout = try await Self.find(platform, id)
            let failedAt = platform.now
            #expect(payout.status == .failed && payout.failedAt == failedAt && payout.reason?.count == 500)
            platform.advance(by: .seconds(6 * 86_400))
            #expect(try await retry() == 1)
            payout = try await Self.find(platform, id)
            #expect(
                payout.status == .pending
                    && payout.reason == "there is no account yet that money can be paid to")
            try await Self.apply(platform, id, .refused(reason: "again"))
            #expect(try await Self.find(platform, id).failedAt == failedAt, "the week began with the first")
            platform.advance(by: .seconds(86_401))
            #expect(try await retry() == 0)
            #expect(try await Self.find(platform, id).status == .failed)
        }
    }

    @Test func theSweepsRunAsTheScheduleSays() {
        let entries = [
            CheckPendingReferralPayouts.schedules(Configuration()),
            RetryFailedReferralPayouts.schedules(Configuration()),
        ].flatMap { $0 }
        #expect(
            entries.map(\.name) == [
                "check-pending-instructor-referral-payouts", "retry-failed-instructor-referral-payouts",
            ])
        let start = Instant(microseconds: 1_795_000_000_000_000)
        let next = entries.compactMap { $0.cadence.next(after: start) }
        #expect(next.count == 2)
        #expect(next.allSatisfy { $0.microseconds % 900_000_000 == 0 })
        #expect(next[1].microseconds % 3_600_000_000 == 0)
        #expect(CheckPendingReferralPayouts.queue == .payments && CheckPendingReferralPayouts.priority == 6)
        #expect(RetryFailedReferralPayouts.queue == .payments && RetryFailedReferralPayouts.priority == 6)
    }
}
