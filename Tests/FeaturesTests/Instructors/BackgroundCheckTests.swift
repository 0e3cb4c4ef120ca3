import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Every way that a background check goes.
@Suite struct BackgroundCheckTests {
    /// The status that each event leads to (domain specification §3.3); nil leaves it.
    static let transitions: [(event: String, object: JSONObject, status: String?)] = [
        ("invitation.created", [:], "pending"), ("invitation.completed", [:], "pending"),
        ("report.created", [:], "pending"), ("report.resumed", [:], "pending"),
        ("report.deferred", [:], "pending"), ("report.upgrade_failed", [:], "pending"),
        ("report.suspended", [:], "pending"), ("report.canceled", [:], "canceled"),
        ("report.disputed", [:], "consider"), ("report.updated", [:], nil), ("report.engaged", [:], nil),
        ("report.completed", ["result": "clear"], "passed"),
        ("report.completed", ["result": "consider", "assessment": "eligible"], "passed"),
        ("report.completed", ["result": "clear", "assessment": "review"], "review"),
        ("report.completed", ["result": "consider"], "review"),
        ("report.completed", ["result": "clear", "assessment": "escalated"], "review"),
    ]

    @Test(arguments: TestDatabase.available, [nil, "passed"] as [String?])
    func everyEventLeadsToItsState(dialect: Dialect, first: String?) async throws {
        try await InstructorWorld.with(dialect, isBuiltIn: false) { world in
            let platform = world.platform
            for (number, transition) in Self.transitions.enumerated() {
                let ada = first == nil ? try await world.instructor() : try await world.liveInstructor()
                let candidate = "cand_\(number)"
                try await platform.execute(
                    "UPDATE instructor_profiles SET checkr_candidate_id = \(candidate) WHERE id = \(ada.profile)"
                )
                let event = CheckrEvents.event(
                    "e\(number)", transition.event, at: 10, candidate: candidate,
                    transition.object.merging(["id": .string("r\(number)")]))
                // Twice, which is once.
                try await platform.deliver(checkr: event)
                try await platform.deliver(checkr: event)
                try await platform.drainJobs()
                let profile = try await world.profile(ada)
                let name = "\(transition.event) \(transition.object)"
                #expect(profile.bgcStatus?.rawValue == transition.status ?? first, "\(name)")
                #expect(profile.isLive == (first != nil && profile.bgcStatus == .passed), "\(name)")
                let isCompleted = transition.event == "report.completed"
                let history = try await platform.count(
                    "background_checks",
                    where: "instructor_id = \(ada.profile) AND report_id NOT LIKE 'mock%'")
                #expect(history == (isCompleted ? 1 : 0), "\(name)")
                if isCompleted, transition.status == "passed" {
                    #expect(profile.check.validUntil == TestClock.start + .seconds(10 + 365 * 86_400))
                    #expect(try await world.events(ada).contains("bgc_completed"))
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatCameLateChangesNothing(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect, isBuiltIn: false) { world in
            let platform = world.platform
            let ada = try await world.instructor()
            try await platform.execute("UPDATE instructor_profiles SET checkr_candidate_id = 'cand_1'")
            try await platform.deliver(checkr: CheckrEvents.completed("e9", "clear", at: 90))
            try await platform.drainJobs()
            for (number, transition) in Self.transitions.enumerated()
            where transition.event != "report.completed" {
                try await platform.deliver(
                    checkr: CheckrEvents.event("l\(number)", transition.event, at: number))
            }
            try await platform.deliver(
                checkr: CheckrEvents.completed("l99", "consider", report: "old", at: 50))
            try await platform.drainJobs()
            let profile = try await world.profile(ada)
            #expect(profile.bgcStatus == .passed && profile.check.reportResult == "clear")
            #expect(try await world.events(ada) == ["registered", "bgc_completed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLetterAboutAReviewIsSentOnce(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect, isBuiltIn: false) { world in
            let platform = world.platform
            _ = try await world.instructor()
            try await platform.execute("UPDATE instructor_profiles SET checkr_candidate_id = 'cand_1'")
            try await platform.deliver(checkr: CheckrEvents.completed("e1", "consider", report: "a", at: 1))
            try await platform.deliver(checkr: CheckrEvents.completed("e2", "consider", report: "a", at: 2))
            try await platform.drainJobs()
            #expect(
                try await platform.rows("SELECT event_type FROM event_outbox")
                    == ["event_type=background_check.review"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInvitationHasItsPreconditionsInTheirOrder(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.instructor())
            func reason(_ name: String = "bgc_invite") async throws -> String? {
                try await platform.failure(name, ada.id, as: ada.actor)?.reason
            }
            #expect(
                try await platform.failure("bgc_invite", ada.id, as: world.student)?.reason
                    == "profile_not_found")
            #expect(try await reason() == "bgc_consent_required")
            try await world.consent(ada)
            platform.advance(by: .seconds(86_401))
            #expect(try await reason() == "bgc_consent_required")
            try await world.consent(ada)
            try await platform.execute("UPDATE users SET zip_code = '00000'")
            #expect(try await reason() == "invalid_work_location")
            try await platform.execute("UPDATE users SET zip_code = '10001'")
            let asked = try await platform.call("bgc_invite", ada.id, as: ada.actor)
            #expect(asked["status"] == "pending" && asked["already_in_progress"] == false)
            // Before Checkr has answered, and after.
            #expect(
                try await platform.call("bgc_invite", ada.id, as: ada.actor)["already_in_progress"] == true)
            #expect(try await platform.call("bgc_status_show", ada.id, as: ada.actor)["is_requested"] == true)
            try await platform.drainJobs()
            #expect(
                try await platform.call("bgc_recheck", ada.id, as: ada.actor)["already_in_progress"] == true)
            #expect(try await platform.count("bgc_requests") == 1)
            try await platform.finishJobs()
            #expect(try await world.profile(ada).bgcStatus == .passed)
            #expect(
                try await platform.call("bgc_invite", ada.id, as: ada.actor)["already_in_progress"] == true)
            let failure = try await platform.failure("bgc_recheck", ada.id, as: ada.actor)
            #expect(failure?.reason == "bgc_invite_rate_limited" && failure?.code == .rateLimited)
            #expect((failure?.retryAfter ?? .zero) > .seconds(86_000))
            platform.advance(by: .seconds(86_400))
            #expect(try await reason("bgc_recheck") == "bgc_consent_required")
            try await world.consent(ada)
            // An administrator may ask on behalf of the instructor.
            _ = try await platform.call("bgc_recheck", ada.id, as: world.admin)
            #expect(
                try await platform.failure(
                    "bgc_consent_give", ada.id.merging(["consent_version": "1", "disclosure_version": "1"]),
                    as: world.admin)?.code == .forbidden)
        }
    }

    @Test(arguments: TestDatabase.available)
    func withoutAnAccountInProductionNothingIsAsked(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect, configure: { $0.environmentName = "production" }) { world in
            let ada = try await world.instructor()
            try await world.consent(ada)
            #expect(
                try await world.platform.failure("bgc_invite", ada.id, as: ada.actor)?.reason
                    == "bgc_not_configured")
            for name in ["bgc_mock_pass", "bgc_mock_review", "bgc_mock_reset"] {
                #expect(try await world.platform.failure(name, ada.id, as: ada.actor)?.code == .notFound)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theBuiltInCheckrTellsTheRestByWebhooks(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let platform = world.platform
            let ends =
                [
                    ("Clear", "passed", nil), ("Consider", "review", nil), ("Review", "review", nil),
                    ("Suspended", "pending", "report.suspended"), ("Canceled", "canceled", nil),
                    ("Disputed", "consider", nil),
                ] as [(String, String, String?)]
            for (name, status, note) in ends {
                let person = try await world.instructor("Ada", name)
                try await world.consent(person)
                _ = try await platform.call("bgc_invite", person.id, as: person.actor)
                try await platform.finishJobs()
                let profile = try await world.profile(person)
                #expect(profile.bgcStatus?.rawValue == status, "\(name)")
                #expect(profile.bgcNote == note, "\(name)")
                #expect(profile.check.candidateID?.hasPrefix("cand_") == true)
                #expect(profile.check.invitationID?.hasPrefix("inv_") == true)
                #expect(try await world.events(person).contains("bgc_initiated"))
            }
            #expect(
                try await platform.count("webhook_events", where: "status = 'processed'") == 4 * ends.count)
            #expect(try await platform.count("checkr_sandbox_events", where: "delivered_at IS NULL") == 0)
            let stats = try await platform.call("bgc_webhooks_stats", as: world.admin)
            #expect(stats["total"] == .int(4 * ends.count))
            #expect(stats["by_event"]?["invitation.created"] == .int(ends.count))
            let list = try await platform.call(
                "bgc_webhooks_list", ["event": "report.completed", "limit": 2], as: world.admin)
            #expect(list["items"]?.arrayValue?.count == 2 && list["next_cursor"]?.stringValue != nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRepeatedCheckTakesALiveInstructorDownUntilItIsClear(dialect: Dialect) async throws {
        try await InstructorWorld.with(dialect) { world in
            let (platform, ada) = (world.platform, try await world.liveInstructor())
            try await world.consent(ada)
            _ = try await platform.call("bgc_recheck", ada.id, as: ada.actor)
            #expect(try await world.profile(ada).isLive)
            try await platform.drainJobs()
            #expect(try await world.profile(ada).isLive == false)
            try await platform.finishJobs()
            let profile = try await world.profile(ada)
            #expect(profile.bgcStatus == .passed && !profile.isLive)
            _ = try await platform.call("my_instructor_profile_go_live", as: ada.actor)
            #expect(try await world.events(ada).suffix(2) == ["paused", "reactivated"])
        }
    }
}
