import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// The operators' tools over instructors.
@Suite struct InstructorToolTests {
    private struct Made {
        var teacher: Teacher
        var services: [String]
        var isLive: Bool
        var completed: Int
        var ratings: [Int]
    }

    private static let slugs = ["piano", "yoga", "saxophone", "ballet", "chess"]

    /// Instructors who teach something or nothing, with lessons and ratings.
    private static func make(_ platform: TestPlatform, using random: inout SeededGenerator) async throws
        -> [Made]
    {
        var made: [Made] = []
        for number in 0..<12 {
            let isLive = Bool.random(using: &random)
            let teacher = try await platform.teacher(firstName: "T\(number)", isLive: isLive)
            let services = Self.slugs.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
            for slug in services { try await platform.offer(slug, by: teacher) }
            let completed = Int.random(in: 0...3, using: &random)
            for hour in 0..<completed {
                let start = platform.now - .seconds((hour + 1) * 7_200)
                try await platform.book(
                    teacher, from: start, to: start + .seconds(3_600), status: "COMPLETED")
            }
            try await platform.book(
                teacher, from: platform.now + .seconds(86_400), to: platform.now + .seconds(90_000))
            let ratings = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                Int.random(in: 1...5, using: &random)
            }
            try await platform.act { tx, context in
                for rating in ratings { try Rating.add(rating, by: 1, teacher.user, tx, context) }
            }
            made.append(
                Made(
                    teacher: teacher, services: Array(services), isLive: isLive, completed: completed,
                    ratings: ratings))
        }
        return made
    }

    @Test(arguments: TestDatabase.available)
    func listsAndCoverageAreWhatOneWouldCountByHand(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let seed = SeededGenerator.randomSeed()
            var random = SeededGenerator(seed: seed)
            let made = try await Self.make(platform, using: &random)
            let catalog = Dictionary(
                uniqueKeysWithValues: try await platform.database.read { db in
                    try CatalogService.active(db)
                }.map { ($0.slug, $0) })
            var (found, cursor): ([JSONValue], JSONValue) = ([], .null)
            repeat {
                let page = try await platform.call(
                    "instructors_list", ["limit": 5, "cursor": cursor], as: platform.reader)
                found += page["items"]?.arrayValue ?? []
                cursor = page["next_cursor"] ?? .null
            } while cursor != .null
            let expected = made.sorted { $0.teacher.user < $1.teacher.user }
            #expect(found.map { $0["user_id"]?.stringValue } == expected.map { $0.teacher.user.description })
            for (item, one) in zip(found, expected) {
                let names = Set(one.services.compactMap { catalog[$0]?.name }).sorted()
                let categories = Set(one.services.compactMap { catalog[$0]?.categoryName }).sorted()
                #expect(item["services"]?.arrayValue?.compactMap(\.stringValue) == names, "seed \(seed)")
                #expect(item["categories"]?.arrayValue?.compactMap(\.stringValue) == categories)
                #expect(item["bookings_completed"]?.intValue == one.completed, "seed \(seed)")
                let sum = one.ratings.reduce(0, +)
                let average = one.ratings.isEmpty ? nil : Double(sum) / Double(one.ratings.count)
                #expect(item["rating_avg"]?.doubleValue == average, "seed \(seed)")
            }
            for slug in Self.slugs {
                let list = try await platform.call(
                    "instructors_list", ["service_slug": .string(slug), "status": "live"], as: platform.reader
                )
                #expect(
                    list["items"]?.arrayValue?.count
                        == made.count { $0.isLive && $0.services.contains(slug) },
                    "seed \(seed)")
            }
            for (grouping, label) in [
                ("category", { (slug: String) in catalog[slug]?.categoryName ?? "" }),
                ("service", { (slug: String) in catalog[slug]?.name ?? "" }),
            ] {
                let live = made.filter(\.isLive)
                var counts: [String: Int] = [:]
                for one in live {
                    for label in Set(one.services.map(label)) { counts[label, default: 0] += 1 }
                }
                let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(2)
                let data = try await platform.call(
                    "instructors_coverage", ["group_by": .string(grouping), "top": 2], as: platform.reader)[
                        "data"]
                #expect(
                    data?["labels"]?.arrayValue?.compactMap(\.stringValue) == sorted.map(\.key),
                    "seed \(seed)")
                #expect(
                    data?["values"]?.arrayValue?.compactMap(\.intValue) == sorted.map(\.value), "seed \(seed)"
                )
                #expect(data?["total_instructors"]?.intValue == live.count)
                #expect(
                    data?["total_services_offered"]?.intValue == live.reduce(0) { $0 + $1.services.count },
                    "all of them, whatever top is; seed \(seed)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorIsFoundByIdAddressOrNameAndNeverGuessed(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let ann = try await platform.teacher(firstName: "Ann", lastName: "Lee")
            let leeson = try await platform.teacher(firstName: "Ann", lastName: "Leeson")
            _ = try await platform.teacher(firstName: "Bo%b", lastName: "Ray")
            try await platform.offer("piano", by: ann, ["hourly_rate": 75])
            try await platform.book(
                ann, from: platform.now, to: platform.now + .seconds(3_600), status: "NO_SHOW")
            let email: String? = try await platform.value("SELECT email FROM users WHERE id = \(ann.user)")
            func detail(_ identifier: String) async throws -> JSONValue {
                try await platform.call(
                    "instructors_detail", ["identifier": .string(identifier)], as: platform.reader)
            }
            for identifier in [
                ann.user.description, ann.profile.description, try #require(email).uppercased(), "ann lee",
                "  Ann   Lee ",
            ] {
                let found = try await detail(identifier)
                #expect(found["user_id"]?.stringValue == ann.user.description, "\(identifier)")
                #expect(found["services"]?[0]?["hourly_rate"] == "75.00")
                #expect(found["stats"]?["no_shows"] == 1 && found["stats"]?["rating_avg"] == .null)
                #expect(found["name"] == "Ann L." && found["email"]?.stringValue?.contains("***@") == true)
            }
            #expect(try await detail("leeso")["user_id"]?.stringValue == leeson.user.description)
            #expect(try await detail("o%b")["name"] == "Bo%b R.", "no wildcard")
            let ambiguous = try await platform.failure(
                "instructors_detail", ["identifier": "ann"], as: platform.reader)
            #expect(ambiguous?.reason == "instructor_ambiguous")
            #expect(ambiguous?.description.contains(leeson.user.description) == true)
            let unknown = try await platform.failure(
                "instructors_detail", ["identifier": "nobody"], as: platform.reader)
            #expect(unknown?.code == .notFound)
            let full = try await platform.call(
                "instructors_detail",
                ["identifier": .string(ann.user.description), "reveal": true, "reason": "a case"],
                as: platform.admin)
            #expect(full["name"] == "Ann Lee" && full["email"]?.stringValue == email)
        }
    }

    @Test(arguments: TestDatabase.available)
    func moreInstructorsTakeNoMoreStatements(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let first = try await platform.teacher(firstName: "First")
            try await platform.offer("piano", by: first)
            let calls: [(String, JSONObject)] = [
                ("instructors_list", JSONObject()), ("instructors_coverage", JSONObject()),
                ("instructors_detail", ["identifier": .string(first.user.description)]),
                ("services_catalog", JSONObject()),
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
            for number in 0..<6 {
                let teacher = try await platform.teacher(firstName: "T\(number)")
                try await platform.offer("yoga", by: teacher)
            }
            #expect(try await statements() == few)
        }
    }
}
