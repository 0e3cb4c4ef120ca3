import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Decisions about background checks that people take.
@Suite struct AdverseActionTests {
    /// Monday before Thanksgiving of 2026; five business days end on Tuesday of the next week.
    static let monday = "2026-11-23T15:00:00Z"
    static let decision = "2026-12-01T15:00:00Z"

    private static func with(
        _ dialect: Dialect, _ body: (InstructorWorld, InstructorWorld.Person) async throws -> Void
    ) async throws {
        try await InstructorWorld.with(dialect) { world in
            world.platform.clock.set(try #require(Instant(parsing: monday)))
            let ada = try await world.instructor()
            _ = try await world.platform.call("bgc_mock_review", ada.id, as: ada.actor)
            try await body(world, ada)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theDecisionWaitsFiveBusinessDaysOverAHoliday(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada in
            let platform = world.platform
            let end = try #require(Instant(parsing: Self.decision))
            let notice = try await platform.call("bgc_pre_adverse_notice", ada.id, as: world.admin)
            #expect(notice["final_action_due_at"]?.stringValue.flatMap { Instant(parsing: $0) } == end)
            // Asked again it is the same one.
            #expect(
                try await platform.call("bgc_pre_adverse_notice", ada.id, as: world.admin)["notice_id"]
                    == notice["notice_id"])
            platform.clock.set(end - .seconds(1))
            try await platform.drainJobs()
            #expect(try await world.profile(ada).bgcStatus == .review)
            platform.clock.set(end)
            try await platform.drainJobs()
            let profile = try await world.profile(ada)
            #expect(
                profile.bgcStatus == .failed && !profile.isLive && profile.check.finalAdverseSentAt == end)
            let events: [String] = try await platform.database.read {
                try $0.values("SELECT event_type FROM bgc_adverse_action_events ORDER BY id")
            }
            #expect(events == ["pre_adverse_sent", "final_adverse_sent"])
            #expect(try await world.entries(ada).last == "instructor.final_adverse_action/success")
            #expect(
                try await platform.count(
                    "event_outbox", where: "event_type = 'background_check.final_adverse'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDisputeStopsTheDecisionAndItsEndPlansItAnew(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada in
            let platform = world.platform
            _ = try await platform.call("bgc_pre_adverse_notice", ada.id, as: world.admin)
            let open = ada.id.merging(["note": "That is not me."])
            _ = try await platform.call("bgc_dispute_open", open, as: world.admin)
            #expect(
                try await platform.failure("bgc_dispute_open", open, as: world.admin)?.reason
                    == "bgc_dispute_open")
            for name in ["bgc_pre_adverse_notice", "bgc_override"] {
                let more: JSONObject = name == "bgc_override" ? ["action": "reject"] : [:]
                let failure = try await platform.failure(name, ada.id.merging(more), as: world.admin)
                #expect(failure?.reason == "bgc_dispute_open", "\(name)")
            }
            platform.clock.set(try #require(Instant(parsing: "2026-12-02T15:00:00Z")))
            try await platform.drainJobs()
            #expect(try await world.profile(ada).bgcStatus == .review)
            _ = try await platform.call("bgc_dispute_resolve", ada.id, as: world.admin)
            #expect(
                try await platform.failure("bgc_dispute_resolve", ada.id, as: world.admin)?.reason
                    == "bgc_no_dispute")
            platform.clock.set(try #require(Instant(parsing: "2026-12-09T14:59:59Z")))
            try await platform.drainJobs()
            #expect(try await world.profile(ada).bgcStatus == .review)
            try await platform.finishJobs()
            #expect(try await world.profile(ada).bgcStatus == .failed)
            #expect(platform.now == Instant(parsing: "2026-12-09T15:00:00Z"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDisputeThatEndsBeforeTheDecisionMovesIt(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada in
            let platform = world.platform
            _ = try await platform.call("bgc_pre_adverse_notice", ada.id, as: world.admin)
            _ = try await platform.call("bgc_dispute_open", ada.id.merging(["note": "No."]), as: world.admin)
            platform.clock.set(try #require(Instant(parsing: "2026-11-24T15:00:00Z")))
            _ = try await platform.call("bgc_dispute_resolve", ada.id, as: world.admin)
            platform.clock.set(try #require(Instant(parsing: Self.decision)))
            try await platform.drainJobs()
            #expect(try await world.profile(ada).bgcStatus == .review)
            try await platform.finishJobs()
            #expect(try await world.profile(ada).bgcStatus == .failed)
            #expect(platform.now == Instant(parsing: "2026-12-02T15:00:00Z"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoWasApprovedMeanwhileIsNotTurnedAway(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada in
            let platform = world.platform
            _ = try await platform.call("bgc_pre_adverse_notice", ada.id, as: world.admin)
            let view = try await platform.call(
                "bgc_override", ada.id.merging(["action": "approve", "reason": "Mistaken identity."]),
                as: world.admin)
            #expect(view["status"] == "passed")
            #expect(view["valid_until"]?.stringValue == (platform.now + .seconds(365 * 86_400)).description)
            #expect(try await world.events(ada).last == "bgc_completed")
            try await platform.finishJobs()
            #expect(try await world.profile(ada).bgcStatus == .passed)
            // Said again it is on record again.
            _ = try await platform.call(
                "bgc_override", ada.id.merging(["action": "approve"]), as: world.admin)
            #expect(try await world.entries(ada).filter { $0 == "instructor.approve/success" }.count == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aNoticeIsOnlyForWhatIsAdverse(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let ada = try await world.liveInstructor()
            let failure = try await world.platform.failure("bgc_pre_adverse_notice", ada.id, as: world.admin)
            #expect(failure?.reason == "bgc_not_adverse")
            let view = try await world.platform.call(
                "bgc_override", ada.id.merging(["action": "reject"]), as: world.admin)
            #expect(view["status"] == "failed" && view["is_live"] == false)
            #expect(try await world.events(ada).last == "paused")
            #expect(try await world.entries(ada).contains("instructor.reject/success"))
            #expect(
                try await world.platform.failure("bgc_override", ada.id, as: ada.actor)?.code == .forbidden)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSweepTakesDownWhatRanOutAndWritesAheadOnce(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            func sweep() async throws {
                try await world.act { tx, _ in try tx.enqueue(SweepExpiredChecks()) }
                try await platform.drainJobs()
            }
            func letters() async throws -> Int {
                try await platform.count("event_outbox", where: "event_type = 'background_check.expiring'")
            }
            try await sweep()
            #expect(try await letters() == 0)
            platform.advance(by: .seconds(336 * 86_400))
            try await sweep()
            try await sweep()
            #expect(try await letters() == 1)
            #expect(try await world.profile(ada).isLive)
            platform.advance(by: .seconds(29 * 86_400))
            try await sweep()
            let profile = try await world.profile(ada)
            #expect(!profile.isLive && profile.bgcStatus == .passed)
            #expect(try await world.events(ada).last == "paused")
            #expect(try await world.entries(ada).last == "instructor.bgc_expired/success")
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSweepLeavesWhoseCheckWasRenewedBeforeItsTurn(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor("Ada"))
            let bob = try await world.liveInstructor("Bob")
            platform.advance(by: .seconds(366 * 86_400))
            try await world.renewOthersWhenOneIsTakenDown()
            try await world.act { tx, _ in try tx.enqueue(SweepExpiredChecks()) }
            try await platform.drainJobs()
            #expect(try await !world.profile(ada).isLive)
            #expect(try await world.profile(bob).isLive)
            #expect(
                try await platform.rows(
                    "SELECT result_summary FROM task_executions WHERE task_name = 'bgc.expiry_sweep'")
                    == ["result_summary=1 taken down, 0 run out within 30 days, 0 left for the next day"])
        }
    }

    @Test func theSweepIsOffUnlessItIsSwitchedOn() {
        var settings = Configuration()
        #expect(SweepExpiredChecks.schedules(settings).map(\.isEnabled) == [false])
        settings.bgcExpirySweep = "on"
        #expect(SweepExpiredChecks.schedules(settings).map(\.isEnabled) == [true])
    }

    @Test(arguments: TestDatabase.available)
    func listsTakeOneStatementWhateverTheirLength(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            func add(_ count: Int) async throws {
                for number in 0..<count {
                    let person = try await world.instructor("Ada\(number)", "100%_sure")
                    _ = try await platform.call("bgc_mock_review", person.id, as: person.actor)
                }
            }
            func statements(_ name: String, _ arguments: JSONObject = [:]) async throws -> Int {
                await platform.recorder.flush()
                _ = platform.database.takeStatementCount()
                _ = try await platform.call(name, arguments, as: world.admin)
                return platform.database.takeStatementCount()
            }
            let names = [
                "bgc_reviews_list", "bgc_cases_list", "bgc_expiring_list", "bgc_counts", "bgc_reviews_count",
            ]
            try await add(1)
            var before: [Int] = []
            for name in names { before.append(try await statements(name)) }
            try await add(6)
            var after: [Int] = []
            for name in names { after.append(try await statements(name)) }
            #expect(before == after)
            var (seen, cursor): (Set<String>, JSONValue) = ([], .null)
            repeat {
                let asked: JSONObject = ["limit": 3, "cursor": cursor]
                let page = try await platform.call(
                    "bgc_reviews_list", asked, as: world.admin)
                let ids = page["items"]?.arrayValue?.compactMap { $0["profile_id"]?.stringValue } ?? []
                #expect(seen.isDisjoint(with: ids))
                seen.formUnion(ids)
                cursor = page["next_cursor"] ?? .null
            } while cursor != .null
            #expect(seen.count == 7)
            func found(_ search: String) async throws -> Int? {
                let page = try await platform.call(
                    "bgc_cases_list", ["search": .string(search)], as: world.admin)
                return page["items"]?.arrayValue?.count
            }
            #expect(try await found("ada3") == 1)
            #expect(try await found("100%_s") == 7)
            #expect(try await found("1%s") == 0)
            let counts = try await platform.call("bgc_counts", as: world.admin)
            #expect(counts["needs_review"] == 7 && counts["by_status"]?["passed"] == 0)
            let list = try await platform.call("bgc_reviews_list", as: world.admin)
            #expect(list.text.contains("p***@example.com") && !list.text.contains("p0"))
            #expect(try await platform.failure("bgc_reviews_list", as: world.student)?.code == .forbidden)
        }
    }
}
