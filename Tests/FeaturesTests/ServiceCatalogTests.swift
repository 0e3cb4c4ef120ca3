import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// The catalogue, and what instructors offer of it.
@Suite struct ServiceCatalogTests {
    static let piano = JSONValue.string(CatalogSeed.service("piano").description)

    static func names(_ value: JSONValue) -> [String] {
        value["services"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
    }

    @Test(arguments: TestDatabase.available)
    func theCatalogueIsThereFromTheStart(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let categories = try await platform.call("services_categories", as: .guest)
            #expect(categories["categories"]?.arrayValue?.count == 8)
            #expect(
                categories["categories"]?.arrayValue?.first?["subcategories"]?.arrayValue?.first?["name"]?
                    .stringValue == "Keyboard")
            let all = try await platform.call("catalog_list", as: .guest)
            #expect(all["total"]?.intValue == 89)
            #expect(all["services"]?.arrayValue?.first?["id"] == Self.piano)
            let music = try await platform.call("catalog_list", ["category": "music"], as: .guest)
            #expect(Self.names(music).count == 19 && Self.names(music).contains("Harp"))
            // The seed's words are those that a refresh would write.
            let before = try await platform.rows("SELECT * FROM search_tokens ORDER BY token, service_id")
            try await platform.database.write { tx in
                try SearchIndex.refresh(try CatalogService.active(tx), tx)
            }
            #expect(
                try await platform.rows("SELECT * FROM search_tokens ORDER BY token, service_id") == before)
        }
    }

    @Test(arguments: TestDatabase.available)
    func servicesAreFoundByWordsAndByNothingElse(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            func find(_ text: String) async throws -> [String] {
                Self.names(try await platform.call("services_search", ["q": .string(text)], as: .guest))
            }
            let lessons = try await find("Piano lessons")
            #expect(lessons.first == "Piano")
            #expect(try await find("pia").first == "Piano")
            #expect(try await find("jazz") == ["Saxophone"])
            #expect(try await find("music").count == 19)
            #expect(try await find("math tutor").first == "Math")
            for text in ["%", "_", "p%o", "' UNION 1=1 --", "\"; DROP TABLE users", "*", "[a-z]", "\\"] {
                #expect(try await find(text).isEmpty, "\(text)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyWhatSomebodyLiveTeachesIsAvailable(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (live, hidden) = (try await platform.teacher(), try await platform.teacher(isLive: false))
            try await platform.offer("piano", by: live, ["age_groups": ["adults"]])
            try await platform.offer("chess", by: live)
            try await platform.offer("yoga", by: hidden)
            let taught = try await platform.call("services_with_instructors", as: .guest)
            #expect(Self.names(taught) == ["Piano", "Chess"])
            let kids = try await platform.call("services_kids_available", as: .guest)
            #expect(Self.names(kids) == ["Chess"], "nobody named means everybody")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aServiceIsOfferedOnceAboveTheFloorAndInSomeWay(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let added = try await platform.offer("piano", by: teacher, ["hourly_rate": 79.99])
            #expect(added["hourly_rate_cents"]?.intValue == 7_999)
            #expect(added["location_types"] == ["online"])
            func refusal(_ more: JSONObject) async throws -> Failure? {
                let base: JSONObject = [
                    "service_catalog_id": .string(CatalogSeed.service("violin").description),
                    "hourly_rate": 100,
                ]
                return try await platform.failure(
                    "services_instructor_add", base.merging(more), as: teacher.actor)
            }
            #expect(try await refusal(["service_catalog_id": Self.piano])?.reason == "service_exists")
            #expect(try await refusal(["hourly_rate": 59.99])?.reason == "PRICE_BELOW_FLOOR")
            #expect(
                try await refusal(["hourly_rate": 79.99, "offers_travel": true])?.reason
                    == "PRICE_BELOW_FLOOR")
            for wrong: JSONObject in [
                ["hourly_rate": 1000.01], ["hourly_rate": 80.001], ["hourly_rate": -80],
                ["duration_options": []], ["duration_options": [10]], ["duration_options": [60, 60]],
                ["offers_online": false], ["age_groups": ["toddlers"]],
                ["service_catalog_id": .string(CatalogSeed.service("nothing").description)],
            ] {
                #expect(try await refusal(wrong)?.code == .invalidInput, "\(wrong)")
            }
            let student = try await platform.person(.student)
            #expect(
                try await platform.failure(
                    "services_instructor_add", ["service_catalog_id": Self.piano, "hourly_rate": 100],
                    as: student)?.code == .forbidden)
            #expect(try await platform.count("instructor_services") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theWaysOfAServiceAreChangedByItsOwnerOnly(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (teacher, other) = (try await platform.teacher(), try await platform.teacher())
            let id = try #require(
                try await platform.offer("piano", by: teacher, ["hourly_rate": 70])["id"])
            let change: JSONObject = ["service_id": id, "offers_at_location": true]
            let name = "services_capabilities_change"
            #expect(
                try await platform.failure(name, change, as: teacher.actor)?.reason == "PRICE_BELOW_FLOOR")
            #expect(
                try await platform.failure(
                    name, ["service_id": id, "offers_online": false], as: teacher.actor)?
                    .code == .invalidInput)
            try await platform.execute("UPDATE instructor_services SET hourly_rate_cents = 9000")
            #expect(try await platform.failure(name, change, as: other.actor)?.code == .notFound)
            let changed = try await platform.call(name, change, as: teacher.actor)
            #expect(changed["location_types"] == ["in_person", "online"])
            #expect(try await platform.count("audit_logs", where: "action = 'service.update'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aProfilesServicesAreReplacedAsAWhole(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let teacher = try await platform.teacher()
            let context = platform.context(teacher.actor, surface: .rest)
            @Sendable func set(_ slugs: [String], cents: Int) async throws -> [InstructorService] {
                try await platform.database.transaction(context, category: .user) { tx, _ in
                    let offers = slugs.map { slug in
                        var offer = ServiceOffer()
                        offer.serviceCatalogID = CatalogSeed.service(slug)
                        offer.hourlyRate = DollarAmount(cents: cents)
                        return offer
                    }
                    return try InstructorService.set(
                        services: offers, profile: teacher.profile, tx, context)
                }
            }
            let first = try await set(["piano", "chess"], cents: 9_000)
            let second = try await set(["chess", "yoga"], cents: 9_500)
            #expect(second[0].id == first[1].id, "what stays is the same row")
            let rows = try await platform.rows(
                "SELECT hourly_rate_cents, is_active FROM instructor_services ORDER BY id")
            #expect(
                rows == [
                    "hourly_rate_cents=9000 is_active=0", "hourly_rate_cents=9500 is_active=1",
                    "hourly_rate_cents=9500 is_active=1",
                ])
            _ = try await set(["piano"], cents: 9_500)
            #expect(try await platform.count("instructor_services") == 4, "what comes back is a new row")
            await #expect(throws: Failure.self) { _ = try await set(["piano", "piano"], cents: 9_500) }
            await #expect(throws: Failure.self) { _ = try await set(["piano"], cents: 100) }
            #expect(try await platform.count("instructor_services", where: "is_active") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func instructorsAreListedPageByPageInOneStatement(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for index in 0..<12 {
                let teacher = try await platform.teacher(firstName: "T\(index)", isLive: index != 3)
                let kids: JSONObject = ["age_groups": index % 2 == 0 ? ["kids"] : ["adults"]]
                let rate: JSONObject = ["hourly_rate": .int(80 + index)]
                try await platform.offer("piano", by: teacher, rate.merging(kids))
            }
            let base: JSONObject = ["service_catalog_id": Self.piano, "per_page": 4]
            func page(_ more: JSONObject) async throws -> (names: [String], next: JSONValue?) {
                _ = platform.database.takeStatementCount()
                let answer = try await platform.call("instructors_by_service", base.merging(more), as: .guest)
                #expect(platform.database.takeStatementCount() == 1)
                return (
                    answer["instructors"]?.arrayValue?.compactMap { $0["first_name"]?.stringValue } ?? [],
                    answer["next_cursor"]
                )
            }
            let first = try await page([:])
            #expect(first.names == ["T0", "T1", "T2", "T4"])
            let second = try await page(["cursor": try #require(first.next)])
            #expect(second.names == ["T5", "T6", "T7", "T8"])
            #expect(try await page(["page": 2]).names == second.names)
            let last = try await page(["page": 3])
            #expect(last.names == ["T9", "T10", "T11"] && last.next?.isNull == true)
            #expect(try await page(["page": 4]).names.isEmpty)
            #expect(
                try await page(["age_group": "kids", "max_price": 86]).names == ["T0", "T2", "T4", "T6"])
            #expect(try await page(["min_price": 90.5]).names == ["T11"])
            for wrong: JSONObject in [
                ["page": 252], ["page": 2, "cursor": try #require(first.next)],
                ["max_price": 1001], ["min_price": 90, "max_price": 80],
                ["min_price": 85, "cursor": try #require(first.next)],
            ] {
                let failure = try await platform.failure(
                    "instructors_by_service", base.merging(wrong), as: .guest)
                #expect(failure?.code == .invalidInput, "\(wrong)")
            }
        }
    }

    /// Gives a teacher random days and two lessons.
    /// - Returns: the minutes that can be booked of seven days, slot by slot.
    private static func plan(
        _ platform: TestPlatform, _ teacher: Teacher, _ zone: LocalZone, isAwayOnTheLastDay: Bool,
        _ random: inout SeededGenerator
    ) async throws -> Int {
        let (now, today) = (platform.now, zone.day(platform.now))
        // One lesson keeps its time, the other one does not.
        let lesson = zone.instant(today.adding(days: 3), minute: 600)
        for (hours, status) in [(0, "CONFIRMED"), (4, "CANCELLED")] {
            let start = lesson + .seconds(hours * 3_600)
            try await platform.book(teacher, from: start, to: start + .seconds(3_600), status: status)
        }
        if isAwayOnTheLastDay {
            let date = today.adding(days: 6)
            let blackout = BlackoutDate(id: platform.newID(), date: date, reason: nil, createdAt: now)
            try await platform.act { tx, _ in try blackout.insert(for: teacher.user, tx) }
        }
        var minutes = 0
        for offset in [-1, 0, 3, 6, 7] {
            let bytes = (0..<36).map { _ in UInt8.random(in: 0...255, using: &random) }
            let (day, bits) = (today.adding(days: offset), try #require(DayBits(bytes: bytes)))
            try await platform.setBits([day: bits], of: teacher)
            guard (0..<7).contains(offset), offset != 6 || !isAwayOnTheLastDay else { continue }
            for slot in 0..<288 where bits[slot] {
                let start = zone.instant(day, minute: slot * 5)
                let isTaken = start > lesson - .seconds(1_200) && start < lesson + .seconds(4_500)
                if start >= now + .seconds(3_600), !isTaken { minutes += 5 }
            }
        }
        return minutes
    }

    @Test(arguments: TestDatabase.available)
    func analyticsAreThoseOfANaiveCount(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            var (rates, minutes): ([String: [Int]], [String: Int]) = ([:], [:])
            for index in 0..<14 {
                let zone = LocalZone(["America/New_York", "Pacific/Honolulu", "Asia/Tokyo"][index % 3])
                let teacher = try await platform.teacher(timezone: zone.name, isLive: index != 0)
                let free = try await Self.plan(
                    platform, teacher, zone, isAwayOnTheLastDay: index % 2 == 0, &random)
                for slug in ["piano", "chess"] where Bool.random(using: &random) {
                    let dollars = Int.random(in: 80...200, using: &random)
                    try await platform.offer(slug, by: teacher, ["hourly_rate": .int(dollars)])
                    guard index > 1 else { continue }
                    rates[slug, default: []].append(dollars * 100)
                    minutes[slug, default: 0] += free
                }
                if index == 1 { try await platform.suspend(teacher) }
            }
            for _ in 0..<3 { _ = try await platform.call("search", ["q": "piano"], as: .guest) }
            try await platform.runJob(CalculateAnalytics())
            for slug in ["piano", "chess", "yoga"] {
                let sorted = (rates[slug] ?? []).sorted()
                let row = try await platform.rows(
                    """
                    SELECT active_instructors, price_percentile_50_cents, total_weekly_minutes, search_count_7d, \
                    booking_count_30d FROM service_analytics
                    WHERE service_catalog_id = \(CatalogSeed.service(slug))
                    """)
                let median = sorted.isEmpty ? "NULL" : "\(sorted[(sorted.count + 1) / 2 - 1])"
                let searches = slug == "piano" && !sorted.isEmpty ? 3 : 0
                #expect(
                    row == [
                        """
                        active_instructors=\(sorted.count) price_percentile_50_cents=\(median) \
                        total_weekly_minutes=\(minutes[slug] ?? 0) search_count_7d=\(searches) \
                        booking_count_30d=NULL
                        """
                    ], "\(slug), seed \(seed)")
            }
            #expect(try await platform.count("service_analytics") == 89)
        }
    }
}
