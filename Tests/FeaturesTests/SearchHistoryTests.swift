import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// What people searched for, once for each text.
@Suite struct SearchHistoryTests {
    static let guest = "guest-session-0001"

    static func texts(_ answer: JSONValue) -> [String] {
        (answer["searches"]?.arrayValue ?? []).map {
            "\($0["search_query"]?.stringValue ?? "?") \($0["search_count"]?.intValue ?? 0)"
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSameTextIsCountedAlsoByManyAtOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let student = try await platform.person(.student)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<24 {
                    let text = ["Piano", " piano ", "PIANO"][index % 3]
                    group.addTask {
                        let isGuest = index % 2 == 0
                        let arguments: JSONObject = ["search_query": .string(text)]
                        _ = try await platform.call(
                            isGuest ? "search_history_record_guest" : "search_history_record",
                            isGuest
                                ? arguments.merging(["guest_session_id": .string(Self.guest)]) : arguments,
                            as: isGuest ? .guest : student)
                    }
                }
                try await group.waitForAll()
            }
            #expect(
                try await platform.rows("SELECT search_count, normalized_query FROM search_history") == [
                    "search_count=12 normalized_query=piano", "search_count=12 normalized_query=piano",
                ])
            #expect(try await platform.count("search_events") == 24)
            #expect(try await platform.count("search_events", where: "NOT is_returning_user") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHistoryIsItsOwnersAndWhatWasDeletedComesBackWhenSearchedAgain(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, other) = (
                try await platform.person(.student), try await platform.person(.student)
            )
            func record(_ text: String) async throws -> JSONValue {
                platform.advance(by: .seconds(1))
                return try await platform.call(
                    "search_history_record", ["search_query": .string(text), "results_count": 3], as: student)
            }
            let piano = try #require(try await record("Piano")["search"]?["id"])
            _ = try await record("Chess")
            _ = try await record("piano")
            let list = try await platform.call("search_history_list", as: student)
            #expect(Self.texts(list) == ["piano 2", "Chess 1"])
            #expect(Self.texts(try await platform.call("search_history_list", as: other)).isEmpty)
            #expect(
                try await platform.failure("search_history_delete", ["id": piano], as: other)?.code
                    == .notFound)
            _ = try await platform.call("search_history_delete", ["id": piano], as: student)
            #expect(
                try await platform.failure("search_history_delete", ["id": piano], as: student)?.code
                    == .notFound)
            #expect(Self.texts(try await platform.call("search_history_list", as: student)) == ["Chess 1"])
            #expect(try await record("PIANO")["search"]?["search_count"]?.intValue == 3)
            #expect(
                try await platform.failure("search_history_list", as: .guest)?.code == .unauthenticated)
            #expect(
                try await platform.failure("search_history_record", ["search_query": "   "], as: student)?
                    .code == .invalidInput)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aGuestsSearchesBecomeThoseOfTheUserOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let student = try await platform.person(.student)
            let user = try TestPlatform.id(student)
            for text in ["piano", "piano", "yoga"] {
                _ = try await platform.call(
                    "search_history_record_guest",
                    ["search_query": .string(text), "guest_session_id": .string(Self.guest)], as: .guest)
            }
            _ = try await platform.call("search_history_record", ["search_query": "Piano"], as: student)
            for expected in [2, 0] {
                let adopted = try await platform.database.transaction(
                    platform.context(student), category: .user
                ) { tx, unit in
                    try SearchHistory.adopt(guestSession: Self.guest, user: user, tx, unit.context)
                }
                #expect(adopted == expected)
            }
            let list = try await platform.call("search_history_list", as: student)
            #expect(Set(Self.texts(list)) == ["Piano 3", "yoga 1"])
            let guests = try await platform.call(
                "search_history_list", ["guest_session_id": .string(Self.guest)], as: .guest)
            #expect(Self.texts(guests).isEmpty)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatAGuestSearchesAgainAfterwardsIsTheirsAndTakenOverAgain(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let student = try await platform.person(.student)
            let user = try TestPlatform.id(student)
            func search() async throws {
                _ = try await platform.call(
                    "search_history_record_guest",
                    ["search_query": "piano", "guest_session_id": .string(Self.guest)], as: .guest)
            }
            func adopt() async throws -> Int {
                try await platform.database.transaction(platform.context(student), category: .user) {
                    tx, unit in
                    try SearchHistory.adopt(guestSession: Self.guest, user: user, tx, unit.context)
                }
            }
            try await search()
            try await search()
            #expect(try await adopt() == 1)
            try await search()
            let guests = try await platform.call(
                "search_history_list", ["guest_session_id": .string(Self.guest)], as: .guest)
            #expect(Self.texts(guests) == ["piano 1"])
            #expect(try await adopt() == 1)
            let list = try await platform.call("search_history_list", as: student)
            #expect(Self.texts(list) == ["piano 3"], "none is counted twice")
        }
    }

    @Test(arguments: TestDatabase.available)
    func interactionsAreCountedOncePerSearch(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, admin) = (
                try await platform.person(.student), try await platform.person(.admin)
            )
            var events: [JSONValue] = []
            for text in ["piano", "chess", "piano", "yoga"] {
                let answer = try await platform.call(
                    "search_history_record", ["search_query": .string(text), "search_type": "category"],
                    as: student)
                events.append(try #require(answer["search_event_id"]))
            }
            for (event, type) in [(events[0], "click"), (events[0], "book"), (events[2], "hover")] {
                _ = try await platform.call(
                    "search_interaction", ["search_event_id": event, "interaction_type": .string(type)],
                    as: student)
            }
            let foreign: JSONObject = [
                "search_event_id": events[1], "interaction_type": "click",
                "guest_session_id": .string(Self.guest),
            ]
            #expect(
                try await platform.failure("search_interaction", foreign, as: .guest)?.code == .notFound)
            let metrics = try await platform.call("search_analytics_metrics", as: admin)
            #expect(metrics["recorded_searches"]?.intValue == 4)
            #expect(metrics["searches_by_type"] == ["category": 4])
            #expect(metrics["searches_with_interaction"]?.intValue == 2)
            #expect(metrics["interaction_rate"]?.doubleValue == 50)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatNeedNotBeKeptIsRemovedInItsTime(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let student = try await platform.person(.student)
            func record(_ text: String, isGuest: Bool = false) async throws -> JSONValue {
                var arguments: JSONObject = ["search_query": .string(text)]
                if isGuest { arguments["guest_session_id"] = .string(Self.guest) }
                return try await platform.call(
                    isGuest ? "search_history_record_guest" : "search_history_record", arguments,
                    as: isGuest ? .guest : student)
            }
            _ = try await record("kept")
            _ = try await record("guest", isGuest: true)
            let gone = try await record("gone")
            _ = try await platform.call(
                "search_history_delete", ["id": try #require(gone["search"]?["id"])], as: student)
            func left() async throws -> [Int] {
                try await platform.runJob(CleanupSearchHistory())
                return [
                    try await platform.count("search_history"), try await platform.count("search_events"),
                ]
            }
            platform.advance(by: .seconds(89 * 86_400))
            #expect(try await left() == [3, 3])
            platform.advance(by: .seconds(2 * 86_400))
            #expect(try await left() == [1, 3])
            platform.advance(by: .seconds(275 * 86_400))
            #expect(try await left() == [1, 0])
        }
    }
}
