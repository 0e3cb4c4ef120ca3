import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Calls to the real Checkr, with whatever happens to them.
@Suite struct CheckrCallTests {
    private static func with(
        _ dialect: Dialect, _ body: (InstructorWorld, InstructorWorld.Person, FakeCheckr) async throws -> Void
    ) async throws {
        let checkr = FakeCheckr()
        try await InstructorWorld.with(dialect, isBuiltIn: false, clients: checkr.clients) { world in
            let ada = try await world.instructor()
            try await world.consent(ada)
            _ = try await world.platform.call("bgc_invite", ada.id, as: ada.actor)
            try await body(world, ada, checkr)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCandidateIsMadeAndInvited(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            try await world.platform.finishJobs()
            #expect(checkr.calls == ["POST candidates", "POST invitations"])
            #expect(checkr.keys.first == "candidate-sandbox-\(ada.profile)")
            let profile = try await world.profile(ada)
            #expect(profile.bgcStatus == .pending && profile.check.candidateID == "can_0")
            #expect(profile.check.invitationID == "inv_1")
            #expect(try await world.events(ada) == ["registered", "bgc_initiated"])
        }
    }

    @Test(arguments: TestDatabase.available, [0, 1])
    func aCallWhoseAnswerIsLostIsLookedUpAndNotRepeated(dialect: Dialect, step: Int) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            if step == 0 { checkr.trouble(.deaf) } else { checkr.trouble(nil, .deaf) }
            try await world.platform.finishJobs()
            let calls =
                step == 0
                ? ["POST candidates", "GET candidates", "POST invitations"]
                : ["POST candidates", "POST invitations", "GET invitations"]
            #expect(checkr.calls == calls)
            #expect(checkr.made("candidates") == 1 && checkr.made("invitations") == 1)
            #expect(try await world.profile(ada).bgcStatus == .pending)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCallThatNeverArrivedIsRepeatedWithItsKey(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            checkr.trouble(.lost, nil, nil, .lost)
            try await world.platform.finishJobs()
            #expect(
                checkr.calls == [
                    "POST candidates", "GET candidates", "POST candidates", "POST invitations",
                    "GET invitations",
                    "POST invitations",
                ])
            #expect(checkr.keys[0] == checkr.keys[1] && checkr.keys[2] == checkr.keys[3])
            #expect(try await world.profile(ada).bgcStatus == .pending)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aUsedUpRateIsWaitedFor(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            checkr.trouble(.answer(429, "{}", [(name: "retry-after", value: "120")]))
            let start = world.platform.now
            try await world.platform.finishJobs()
            #expect(world.platform.now >= start + .seconds(120))
            #expect(checkr.made("invitations") == 1)
            #expect(try await world.profile(ada).bgcStatus == .pending)
        }
    }

    @Test(
        arguments: TestDatabase.available,
        [
            (401, "{}", "checkr_auth_error"), (403, "{}", "checkr_auth_error"),
            (404, #"{"error":"Package not found"}"#, "checkr_package_not_found"),
            (422, #"{"error":["work_locations is invalid"]}"#, "checkr_work_location_error"),
            (400, #"{"error":"Ada Clear is unknown"}"#, "bgc_invite_failed"),
        ])
    func aRefusalHasItsCodeAndTheInstructorMayAskAgain(dialect: Dialect, answer: (Int, String, String))
        async throws
    {
        try await Self.with(dialect) { world, ada, checkr in
            checkr.trouble(nil, .answer(answer.0, answer.1))
            try await world.platform.finishJobs()
            let view = try await world.platform.call("bgc_status_show", ada.id, as: ada.actor)
            #expect(view["problem"]?["code"]?.stringValue == answer.2)
            #expect(view["status"] == .null && view["is_requested"] == false)
            #expect(!view.text.contains("Ada"))
            #expect(try await world.entries(ada).last == "instructor.bgc_invite/failed")
            let again = try await world.platform.call("bgc_invite", ada.id, as: ada.actor)
            #expect(again["already_in_progress"] == false)
            try await world.platform.finishJobs()
            #expect(checkr.made("candidates") == 1)
            #expect(try await world.profile(ada).bgcStatus == .pending)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCheckrThatIsGoneForGoodIsGivenUp(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            checkr.trouble(
                .lost, .lost, .lost, .lost, .lost, .lost, .lost, .lost, .lost, .lost, .lost, .lost)
            try await world.platform.finishJobs()
            let view = try await world.platform.call("bgc_status_show", ada.id, as: ada.actor)
            #expect(view["problem"]?["code"] == "bgc_invite_failed")
            #expect(try await world.platform.count("bgc_requests", where: "status = 'failed'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReportThatAnEventOnlyNamesIsAskedFor(dialect: Dialect) async throws {
        try await Self.with(dialect) { world, ada, checkr in
            try await world.platform.finishJobs()
            let candidate = try #require(try await world.profile(ada).check.candidateID)
            let report: JSONObject = [
                "id": "rep_1", "candidate_id": .string(candidate), "result": .null, "assessment": .null,
            ]
            checkr.add(report: "rep_1", .object(report))
            let time = world.platform.now + .seconds(60)
            try await world.platform.deliver(
                checkr: [
                    "id": "e1", "type": "report.completed", "created_at": .string(time.description),
                    "data": ["object": ["id": "rep_1", "object": "report", "uri": "/v1/reports/rep_1"]],
                ])
            // The verdict comes a little later than the event.
            try await world.platform.drainJobs()
            #expect(try await world.profile(ada).bgcStatus == .pending)
            checkr.add(report: "rep_1", .object(report.merging(["result": "clear"])))
            try await world.platform.finishJobs()
            #expect(try await world.profile(ada).bgcStatus == .passed)
            #expect(checkr.calls.last == "GET reports/rep_1")
        }
    }
}
