import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// Searching, what is written down of it, and the numbers that come of that.
@Suite struct SearchTests {
    static func find(_ platform: TestPlatform, _ text: String, as actor: Actor = .guest) async throws
        -> JSONValue
    {
        try await platform.call("search", ["q": .string(text)], as: actor)
    }

    static func names(_ answer: JSONValue) -> [String] {
        (answer["results"]?.arrayValue ?? []).map {
            "\($0["first_name"]?.stringValue ?? "?") \($0["service_name"]?.stringValue ?? "?")"
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSearchFindsServicesCategoriesTermsAndNames(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let maria = try await platform.teacher(firstName: "Maria")
            let john = try await platform.teacher(firstName: "John")
            let hidden = try await platform.teacher(firstName: "Hidden", isLive: false)
            try await platform.offer("piano", by: maria)
            try await platform.offer("yoga", by: maria)
            try await platform.offer("piano", by: john)
            try await platform.offer("saxophone", by: john)
            try await platform.offer("piano", by: hidden)
            #expect(
                Self.names(try await Self.find(platform, "Piano lessons")) == ["Maria Piano", "John Piano"])
            #expect(Self.names(try await Self.find(platform, "  PIA ")) == ["Maria Piano", "John Piano"])
            #expect(Self.names(try await Self.find(platform, "jazz")) == ["John Saxophone"])
            #expect(Self.names(try await Self.find(platform, "music")).count == 3)
            #expect(Self.names(try await Self.find(platform, "john piano")).first == "John Piano")
            #expect(Set(Self.names(try await Self.find(platform, "mari"))) == ["Maria Piano", "Maria Yoga"])
            #expect(Self.names(try await Self.find(platform, "hidden")).isEmpty)
            #expect(Self.names(try await Self.find(platform, "ballet")).isEmpty, "nobody teaches it")
            let ballet = try await Self.find(platform, "ballet")
            #expect(ballet["services"]?.arrayValue?.first?["name"]?.stringValue == "Ballet")
        }
    }

    @Test(arguments: TestDatabase.available)
    func charactersOfPatternsAndStatementsFindNothing(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher(firstName: "O'Neil %_")
            try await platform.offer("piano", by: teacher)
            for text in [
                "%", "_", "p%", "_iano", "'", "';--", "\\", "*", "?", "\u{202E}", "' UNION '1'='1",
                "[p]iano!",
            ] {
                let answer = try await Self.find(platform, text)
                #expect(Self.names(answer).isEmpty, "\(text)")
                #expect(answer["meta"]?["query"]?.stringValue == text)
            }
            #expect(Self.names(try await Self.find(platform, "o'neil")).isEmpty, "a name is one word")
            #expect(try await platform.count("search_queries") == 13)
        }
    }

    @Test func aTextHasOneForm() {
        #expect(SearchText.normalized("  Piano \t\n LESSONS ") == "piano lessons")
        #expect(SearchText.normalized(String(repeating: "é", count: 500)).unicodeScalars.count == 200)
        #expect(SearchText.tokens("Piano piano lessons for my kids!") == ["piano", "kids"])
        #expect(SearchText.tokens("lessons") == ["lessons"])
        #expect(SearchText.tokens("a b c").isEmpty)
    }

    @Test func foundersAndWantedServicesComeFirst() {
        let ranking = SearchRanking()
        let plain = ranking.score(service: 10, isNamed: false, isFounding: false)
        #expect(ranking.score(service: 10, isNamed: false, isFounding: true) == plain * 1.5)
        #expect(ranking.score(service: 0, isNamed: true, isFounding: false) > plain)
        let calm = ServiceDemand(
            searches7: 7, searches30: 30, bookings30: nil, viewToBooking: nil, activeInstructors: 1,
            medianCents: nil)
        #expect(calm.score == 12 && !calm.isTrending)
        var wanted = calm
        (wanted.searches7, wanted.searches30, wanted.bookings30, wanted.viewToBooking) = (90, 200, 40, 0.5)
        #expect(wanted.score == 90 && wanted.isTrending)
    }

    @Test(arguments: TestDatabase.available)
    func aSearchIsWrittenDownWithWhoSearchedAndWhatItFound(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            try await platform.offer("piano", by: teacher)
            let student = try await platform.person(.student)
            let answer = try await Self.find(platform, "  Piano  ", as: student)
            let id = try #require(answer["meta"]?["search_query_id"]?.stringValue)
            let service = try #require(
                answer["results"]?.arrayValue?.first?["instructor_service_id"]?.stringValue)
            #expect(
                try await platform.rows(
                    """
                    SELECT id, original_query, normalized_query, result_count, top_result_ids, user_id
                    FROM search_queries
                    """) == [
                        """
                        id=\(id) original_query=  Piano   normalized_query=piano result_count=1 \
                        top_result_ids=["\(service)"] user_id=\(try #require(student.id))
                        """
                    ])
            let click: JSONObject = [
                "search_query_id": .string(id), "position": 1, "action": "book",
                "service_id": .string(CatalogSeed.service("piano").description),
                "instructor_id": .string(teacher.profile.description),
            ]
            _ = try await platform.call("search_click", click, as: .guest)
            let unknown = platform.environment.ids.next(at: platform.now).description
            #expect(
                try await platform.failure(
                    "search_click", click.merging(["search_query_id": .string(unknown)]), as: .guest)?.code
                    == .notFound)
            #expect(
                try await platform.failure(
                    "search_click", click.merging(["instructor_id": .string(unknown)]), as: .guest)?.code
                    == .invalidInput)
            #expect(try await platform.count("search_clicks") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSearchAnswersAlsoWhenItCannotBeWrittenDown(dialect: Dialect) async throws {
        let log = LogCollector()
        try await TestPlatform.with(dialect, logger: log.logger) { platform in
            let teacher = try await platform.teacher()
            try await platform.offer("piano", by: teacher)
            try await platform.refuseInserts(into: "search_queries")
            #expect(Self.names(try await Self.find(platform, "piano")) == ["Maria Piano"])
            #expect(try await platform.count("search_queries") == 0)
            #expect(log.lines.contains { $0.contains("an answer was not written down") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSearchReadsWithTheSameStatementsHoweverManyMatch(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            var counts: [Int] = []
            for round in 0..<2 {
                for index in 0..<(round == 0 ? 1 : 30) {
                    let teacher = try await platform.teacher(firstName: "Music\(index)")
                    for slug in ["piano", "violin", "drums"] { try await platform.offer(slug, by: teacher) }
                }
                _ = platform.database.takeStatementCount()
                let answer = try await Self.find(platform, "music")
                counts.append(platform.database.takeStatementCount())
                #expect(answer["meta"]?["total_results"]?.intValue == (round == 0 ? 3 : 50))
            }
            // Seven that read; the row and the two roll-ups that write it down.
            #expect(counts == [10, 10])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theNumbersOfSearchesAreThoseOfANaiveCount(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            try await platform.offer("piano", by: teacher)
            let admin = try await platform.person(.admin)
            var (counts, booked): ([String: Int], [String: Int]) = ([:], [:])
            for _ in 0..<40 {
                let text = ["piano", "ballet", "tuba"].randomElement(using: &random) ?? ""
                let spelling = [text, text.uppercased(), "  \(text) "].randomElement(using: &random) ?? ""
                let answer = try await Self.find(platform, spelling)
                counts[text, default: 0] += 1
                guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
                booked[text, default: 0] += 1
                for action in ["book", "book", "view"] {
                    _ = try await platform.call(
                        "search_click",
                        [
                            "search_query_id": try #require(answer["meta"]?["search_query_id"]),
                            "position": 1, "action": .string(action),
                        ], as: .guest)
                }
            }
            let popular = try await platform.call("search_analytics_popular", ["min_count": 1], as: admin)
            for row in popular["queries"]?.arrayValue ?? [] {
                let text = try #require(row["query"]?.stringValue)
                let count = try #require(counts[text], "\(text)")
                #expect(row["count"]?.intValue == count, "\(text), seed \(seed)")
                let rate = (Double(booked[text] ?? 0) / Double(count) * 10_000).rounded() / 10_000
                #expect(row["conversion_rate"]?.doubleValue == rate, "\(text), seed \(seed)")
                #expect(row["avg_results"]?.doubleValue == (text == "piano" ? 1 : 0))
            }
            #expect(popular["queries"]?.arrayValue?.count == counts.count)
            let nothing = 40 - (counts["piano"] ?? 0)
            let zero = try await platform.call("search_analytics_zero_results", as: admin)
            #expect(
                zero["queries"]?.arrayValue?.reduce(0) { $0 + ($1["count"]?.intValue ?? 0) } == nothing)
            #expect(
                zero["zero_result_rate"]?.doubleValue
                    == (Double(nothing) / 40 * 10_000).rounded() / 10_000)
            let metrics = try await platform.call("search_analytics_metrics", as: admin)
            #expect(metrics["total_searches"]?.intValue == 40)
            #expect(metrics["result_distribution"]?["0"]?.intValue == nothing)
            #expect(metrics["result_distribution"]?["1-5"]?.intValue == counts["piano"] ?? 0)
            let student = try await platform.person(.student)
            #expect(
                try await platform.failure("search_analytics_metrics", as: student)?.code == .forbidden)
            try await platform.runJob(GenerateSearchInsights())
            try await platform.runJob(CalculateSearchMetrics())
            try await platform.runJob(GenerateDailyReport())
            #expect(try await platform.count("analytics_reports") == 3)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatFoundingInstructorsGainIsOneNumberWhereverItIsChanged(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let teacher = try await platform.teacher()
            try await platform.offer("piano", by: teacher)
            try await platform.execute(
                "UPDATE instructor_profiles SET is_founding_instructor = \(true) WHERE id = \(teacher.profile)"
            )
            func score() async throws -> Double {
                try #require(
                    try await Self.find(platform, "piano")["results"]?[0]?["score"]?.doubleValue)
            }
            func boosts() async throws -> [Double?] {
                [
                    try await platform.call("pricing_config_show", as: admin)["config"]?[
                        "founding_search_boost"],
                    try await platform.call("search_config_read", as: admin)["ranking"]?["founding_boost"],
                ].map { $0?.doubleValue }
            }
            let before = try await score()
            _ = try await platform.call("search_config_update", ["demand_share": 0.25], as: admin)
            _ = try await platform.call(
                "pricing_config_update", ["founding_search_boost": 3], as: admin)
            #expect(try await boosts() == [3, 3])
            #expect(try await abs(score() - before * 2) < 0.001)
            _ = try await platform.call("search_config_update", ["founding_boost": 1.5], as: admin)
            #expect(try await boosts() == [1.5, 1.5])
            #expect(try await abs(score() - before) < 0.001)
            #expect(
                try await platform.rows("SELECT body FROM search_config").first?.contains("boost") == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func administratorsWhoChangeDifferentNumbersAtOnceLoseNone(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            for round in 1...8 {
                let changes: [JSONObject] = [
                    ["demand_share": .double(Double(round) / 10)], ["name_weight": .int(round)],
                    ["maximum_services": .int(round)], ["founding_boost": .double(1 + Double(round) / 10)],
                ]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for change in changes {
                        group.addTask {
                            _ = try await platform.call("search_config_update", change, as: admin)
                        }
                    }
                    try await group.waitForAll()
                }
                let ranking = try await platform.call("search_config_read", as: admin)["ranking"]
                for change in changes {
                    for (key, value) in change {
                        #expect(ranking?[key]?.doubleValue == value.doubleValue, "\(key), round \(round)")
                    }
                }
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func administratorsChangeTheRankingAndBringItBack(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let before = try await platform.call("search_config_read", as: admin)
            #expect(before["ranking"]?["founding_boost"]?.doubleValue == 1.5)
            let changed = try await platform.call(
                "search_config_update", ["founding_boost": 2, "maximum_services": 3], as: admin)
            #expect(changed["ranking"]?["founding_boost"]?.doubleValue == 2)
            #expect(changed["ranking"]?["demand_share"] == before["ranking"]?["demand_share"])
            #expect(
                try await platform.failure("search_config_update", ["founding_boost": 0.5], as: admin)?.code
                    == .invalidInput)
            _ = try await Self.find(platform, "piano")
            _ = try await platform.call("search_config_reset", as: admin)
            #expect(try await platform.call("search_config_read", as: admin) == before)
            #expect(
                try await platform.call("search_health", as: .guest)["status"]?.stringValue == "healthy")
        }
    }
}
