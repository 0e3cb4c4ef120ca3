import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// Tools over searches, invites and onboarding, against naive counts of the same rows.
@Suite struct DataToolTests {
    static let day = Duration.seconds(86_400)

    /// Data for which every member of these tools' answers is there; answers the invite.
    static func seed(_ platform: TestPlatform) async throws -> Invite {
        let user = try await platform.newUser()
        try await Self.reach(platform, user, .registered, ago: Self.day * 10)
        try await platform.offer("piano", by: try await platform.teacher(firstName: "Ines"))
        _ = try await platform.teacher(firstName: "Omar")
        try await Self.search(platform, "Piano", results: 2, ago: .seconds(60))
        try await Self.search(platform, "kazoo", results: 0, ago: .seconds(50))
        return try #require(
            try await platform.act { tx, context in
                try Invite.create(
                    [
                        NewInvite(email: "jane@example.com", source: "fair"),
                        NewInvite(email: "joe@example.com"),
                    ],
                    tx, context)
            }.first)
    }

    static func reach(_ platform: TestPlatform, _ user: ULID, _ event: LifecycleEvent, ago: Duration)
        async throws
    {
        let time = platform.now - ago
        let id = platform.environment.ids.next(at: time)
        try await platform.execute(
            """
            INSERT INTO instructor_lifecycle_events (id, user_id, event_type, occurred_at, created_at)
            VALUES (\(id), \(user), \(event), \(time), \(time))
            """)
    }

    @discardableResult
    static func search(
        _ platform: TestPlatform, _ text: String, results: Int, ago: Duration, booked: Bool = false,
        id given: ULID? = nil
    ) async throws -> ULID {
        let time = platform.now - ago
        let id = given ?? platform.environment.ids.next(at: time)
        let click = platform.environment.ids.next(at: time)
        try await platform.act { tx, _ in
            try SearchRecord(
                id: id, query: text, resultIDs: [], serviceIDs: [], resultCount: results, userID: nil,
                sessionID: nil, latencyMilliseconds: 1, isDegraded: false
            ).insert(tx, at: time)
            guard booked else { return }
            try tx.run(
                """
                INSERT INTO search_clicks (id, search_query_id, position, action, created_at)
                VALUES (\(click), \(id), 1, 'book', \(time))
                """)
        }
        return id
    }

    // MARK: Searches

    private struct Searched {
        var text: String
        var results: Int
        var booked: Bool
        var day: CalendarDay
    }

    @Test(arguments: TestDatabase.available)
    func searchesAreCountedAsOneWouldByHand(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let seed = SeededGenerator.randomSeed()
            var random = SeededGenerator(seed: seed)
            var made: [Searched] = []
            // Ids never go back, so the oldest come first, of a generator of their own.
            let ids = ULIDGenerator()
            let ages = (0..<150).map { _ in Int.random(in: 0..<40 * 86_400, using: &random) }.sorted(by: >)
            for age in ages {
                let text = ["piano", " Piano ", "yoga", "kazoo", "latin", "chess"].randomElement(
                    using: &random)!
                let results = text == "kazoo" ? 0 : Int.random(in: 0...3, using: &random)
                let booked = results > 0 && Bool.random(using: &random)
                let ago = Duration.seconds(age)
                try await Self.search(
                    platform, text, results: results, ago: ago, booked: booked,
                    id: ids.next(at: platform.now - ago))
                made.append(
                    Searched(
                        text: SearchText.normalized(text), results: results, booked: booked,
                        day: .utc(platform.now - ago)))
            }
            let today = CalendarDay.utc(platform.now)
            let first = today.adding(days: -20)
            let tenDays: JSONObject = [
                "start_date": .string("\(first)"), "end_date": .string("\(first.adding(days: 9))"),
            ]
            let windows: [(JSONObject, CalendarDay, CalendarDay)] = [
                (JSONObject(), today.adding(days: -29), today), (tenDays, first, first.adding(days: 9)),
            ]
            for (asked, from, to) in windows {
                let inside = made.filter { $0.day >= from && $0.day <= to }
                let groups = Dictionary(grouping: inside, by: \.text)
                let expected = groups.filter { $0.value.count >= 3 }.map { text, rows in
                    "\(text) \(rows.count) \(Self.ratio(rows.reduce(0) { $0 + $1.results }, rows.count, 100)) "
                        + "\(Self.ratio(rows.count { $0.booked }, rows.count, 10_000))"
                }
                let top = try await platform.call(
                    "search_top_queries", asked.merging(["min_count": 3]), as: platform.reader)
                let found = (top["data"]?["queries"]?.arrayValue ?? []).map {
                    "\($0["query"]?.stringValue ?? "") \($0["count"]?.intValue ?? -1) "
                        + "\($0["avg_results"]?.doubleValue ?? -1) \($0["conversion_rate"]?.doubleValue ?? -1)"
                }
                #expect(found.sorted() == expected.sorted(), "seed \(seed)")
                let counts = (top["data"]?["queries"]?.arrayValue ?? []).compactMap { $0["count"]?.intValue }
                #expect(counts == counts.sorted(by: >), "seed \(seed)")
                #expect(top["data"]?["total_searches"]?.intValue == inside.count, "seed \(seed)")
                #expect(top["data"]?["time_window"]?["start"]?.stringValue == "\(from)")
                let zero = try await platform.call("search_zero_results", asked, as: platform.reader)
                let nothing = inside.filter { $0.results == 0 }
                let expectedZero = Dictionary(grouping: nothing, by: \.text).map { "\($0) \($1.count)" }
                let foundZero = (zero["data"]?["queries"]?.arrayValue ?? []).map {
                    "\($0["query"]?.stringValue ?? "") \($0["count"]?.intValue ?? -1)"
                }
                #expect(foundZero.sorted() == expectedZero.sorted(), "seed \(seed)")
                #expect(zero["data"]?["total_zero_result_searches"]?.intValue == nothing.count)
                #expect(
                    zero["data"]?["zero_result_rate"]?.doubleValue
                        == Self.ratio(nothing.count, inside.count, 10_000), "seed \(seed)")
            }
        }
    }

    private static func ratio(_ part: Int, _ whole: Int, _ places: Double) -> Double {
        whole == 0 ? 0 : (Double(part) / Double(whole) * places).rounded() / places
    }

    @Test(arguments: TestDatabase.available)
    func daysThatEndBeforeTheyBeginAreRefused(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for name in [
                "search_top_queries", "search_zero_results", "invites_list", "founding_funnel_summary",
            ] {
                let failure = try await platform.failure(
                    name, ["start_date": "2026-02-02", "end_date": "2026-02-01"], as: platform.reader)
                #expect(failure?.code == .invalidInput, "\(name)")
            }
        }
    }

    // MARK: Invites

    @Test(arguments: TestDatabase.available)
    func invitesAreFoundByAddressAndShownMasked(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await Self.seed(platform)
            let one = try await platform.call(
                "invites_list", ["email": "JANE@example.com"], as: platform.reader)
            #expect(one["data"]?["count"] == 1)
            #expect(one["data"]?["invites"]?[0]?["email"] == "j***@example.com")
            #expect(one["data"]?["invites"]?[0]?["code"]?.stringValue == invite.code)
            #expect(one["data"]?["filters"]?["email"] == "j***@example.com")
            let part = try await platform.call(
                "invites_list", ["email": "ane@example.com"], as: platform.reader)
            #expect(part["data"]?["count"] == 0, "the whole address, not a part of it")
            let first = try await platform.call("invites_list", ["limit": 1], as: platform.reader)
            let cursor = try #require(first["data"]?["next_cursor"])
            let second = try await platform.call(
                "invites_list", ["limit": 1, "cursor": cursor], as: platform.reader)
            #expect(second["data"]?["next_cursor"] == .null)
            #expect(second["data"]?["invites"]?[0]?["id"]?.stringValue == invite.id.description)
            let refusal = try await platform.failure(
                "invites_list", ["limit": 1, "cursor": cursor, "status": "expired"], as: platform.reader)
            #expect(refusal?.code == .invalidInput, "a cursor of other filters")
        }
    }

    @Test(arguments: TestDatabase.available)
    func addressesInFullNeedTheRightAndAReason(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            _ = try await Self.seed(platform)
            let forbidden = try await platform.failure(
                "invites_list", ["reveal": true, "reason": "a case"], as: platform.reader)
            #expect(forbidden?.code == .forbidden)
            let unexplained = try await platform.failure(
                "invites_list", ["reveal": true], as: platform.admin)
            #expect(unexplained?.code == .invalidInput)
            let shown = try await platform.call(
                "invites_list", ["reveal": true, "reason": "case 4711"], as: platform.admin)
            #expect(
                (shown["data"]?["invites"]?.arrayValue ?? []).compactMap { $0["email"]?.stringValue }
                    == ["joe@example.com", "jane@example.com"])
            await platform.recorder.flush()
            let log = try await platform.call("audit_search", ["detail": true], as: platform.admin)
            #expect(log.text.contains("case 4711"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInviteIsShownByCodeWhichTheLogDoesNotLearn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await Self.seed(platform)
            for identifier in [invite.code, invite.id.description] {
                let shown = try await platform.call(
                    "invites_detail", ["identifier": .string(identifier)], as: platform.reader)
                #expect(shown["data"]?["id"]?.stringValue == invite.id.description)
                #expect(shown["data"]?["metadata"] == ["source": "fair"])
                #expect(shown["data"]?["status_history"]?.arrayValue?.count == 1)
            }
            let failure = try await platform.failure(
                "invites_detail", ["identifier": "ZZZZZZZZ"], as: platform.reader)
            #expect(failure?.code == .notFound)
            await platform.recorder.flush()
            let entries: [String] = try await platform.database.read { db in
                try db.values("SELECT metadata FROM audit_logs WHERE metadata IS NOT NULL")
            }
            #expect(entries.contains { $0.contains("REDACTED") })
            #expect(!entries.contains { $0.contains(invite.code) || $0.contains("ZZZZZZZZ") })
        }
    }

    // MARK: Onboarding

    private struct Step {
        var event: LifecycleEvent
        var ago: Int
    }

    @Test(arguments: TestDatabase.available)
    func theFunnelAndTheStuckAreWhatOneWouldCountByHand(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let seed = SeededGenerator.randomSeed()
            var random = SeededGenerator(seed: seed)
            var people: [ULID: [Step]] = [:]
            for user in try await platform.newUsers(40) {
                var hours = Int.random(in: 500..<1_500, using: &random)
                var steps: [Step] = []
                // Some skip a stage, some stop, some pause after going live.
                for event in LifecycleEvent.stages.prefix(Int.random(in: 1...7, using: &random))
                where event == .registered || Int.random(in: 0..<5, using: &random) > 0 {
                    steps.append(Step(event: event, ago: hours))
                    hours = max(0, hours - Int.random(in: 1..<200, using: &random))
                }
                if steps.last?.event == .wentLive, Bool.random(using: &random) {
                    steps.append(Step(event: .paused, ago: hours))
                }
                for step in steps {
                    try await Self.reach(platform, user, step.event, ago: .seconds(step.ago * 3_600))
                }
                people[user] = steps
            }
            let now = platform.now
            let (first, last) = (
                CalendarDay.utc(now).adding(days: -40), CalendarDay.utc(now).adding(days: -10)
            )
            func inside(_ step: Step) -> Bool {
                let day = CalendarDay.utc(now - .seconds(step.ago * 3_600))
                return day >= first && day <= last
            }
            func counts(_ steps: [[Step]]) -> [Int] {
                LifecycleEvent.stages.indices.map { index in
                    let later = LifecycleEvent.stages[index...]
                    return steps.count { $0.contains { later.contains($0.event) } }
                }
            }
            let window: JSONObject = ["start_date": .string("\(first)"), "end_date": .string("\(last)")]
            let all = Array(people.values)
            let registered = all.filter { $0.contains { $0.event == .registered && inside($0) } }
            let questions: [(JSONObject, [Int])] = [
                (JSONObject(), counts(all)), (window, counts(all.map { $0.filter(inside) })),
                (window.merging(["view": "cohort"]), counts(registered)),
            ]
            for (asked, expected) in questions {
                let funnel = try await platform.call("founding_funnel_summary", asked, as: platform.reader)
                let found = (funnel["stages"]?.arrayValue ?? []).compactMap { $0["count"]?.intValue }
                #expect(found == expected, "seed \(seed) \(asked)")
                let rates = (funnel["conversion_rates"]?.arrayValue ?? []).compactMap {
                    $0["rate"]?.doubleValue
                }
                #expect(rates == zip(expected, expected.dropFirst()).map { Self.ratio($1, $0, 10_000) })
            }
            let stuck = people.compactMap { user, steps -> (user: ULID, step: Step)? in
                guard let latest = steps.last, latest.event.isStage, latest.event != .wentLive,
                    latest.ago >= 9 * 24
                else {
                    return nil
                }
                return (user, latest)
            }
            let answer = try await platform.call(
                "founding_stuck_instructors", ["stuck_days": 9, "limit": 2], as: platform.reader)
            #expect(answer["total_stuck"]?.intValue == stuck.count, "seed \(seed)")
            let byStage = Dictionary(grouping: stuck, by: \.step.event.rawValue).mapValues(\.count)
            let found = (answer["summary"]?.arrayValue ?? []).reduce(into: [String: Int]()) {
                $0[$1["stage"]?.stringValue ?? ""] = $1["stuck_count"]?.intValue
            }
            #expect(found == byStage, "all of them, whatever the limit; seed \(seed)")
            let days = (answer["instructors"]?.arrayValue ?? []).compactMap { $0["days_in_stage"]?.intValue }
            #expect(days == Array(stuck.map { $0.step.ago / 24 }.sorted(by: >).prefix(2)), "seed \(seed)")
            #expect(answer["instructors"]?[0]?["name"] == "Maria L.")
            #expect(answer["instructors"]?[0]?["email"]?.stringValue?.hasPrefix("p***@") == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoIsGoneIsNotStuck(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let users = try await platform.newUsers(3)
            for user in users { try await Self.reach(platform, user, .profileSubmitted, ago: Self.day * 30) }
            try await platform.execute(
                "UPDATE users SET account_status = 'suspended' WHERE id = \(users[0])",
                "UPDATE users SET deleted_at = \(platform.now) WHERE id = \(users[1])")
            let answer = try await platform.call("founding_stuck_instructors", as: platform.reader)
            #expect(answer["total_stuck"] == 1)
            #expect(answer["instructors"]?[0]?["user_id"]?.stringValue == users[2].description)
            let live = try await platform.call(
                "founding_stuck_instructors", ["stage": "went_live"], as: platform.reader)
            #expect(live["total_stuck"] == 0)
        }
    }

    // MARK: Cost

    @Test(arguments: TestDatabase.available)
    func moreRowsTakeNoMoreStatements(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await Self.seed(platform)
            let calls: [(String, JSONObject)] = [
                ("search_top_queries", ["min_count": 1]), ("search_zero_results", [:]), ("invites_list", [:]),
                ("invites_detail", ["identifier": .string(invite.code)]), ("founding_funnel_summary", [:]),
                ("founding_stuck_instructors", [:]),
            ]
            func statements() async throws -> [Int] {
                var counts: [Int] = []
                for (name, arguments) in calls {
                    await platform.recorder.flush()
                    _ = platform.database.takeStatementCount()
                    _ = try await platform.call(name, arguments, as: platform.reader)
                    counts.append(platform.database.takeStatementCount())
                }
                return counts
            }
            let few = try await statements()
            for number in 0..<20 {
                try await Self.search(platform, "query \(number)", results: number % 2, ago: .seconds(30))
                let user = try await platform.newUser()
                try await Self.reach(platform, user, .bgcInitiated, ago: Self.day * 9)
            }
            try await platform.act { tx, context in
                _ = try Invite.create(
                    (0..<20).map { NewInvite(email: "i\($0)@example.com") }, tx, context)
            }
            #expect(try await statements() == few)
        }
    }
}
