import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

/// Counts by a dimension of many numbers, kept many to a row.
@Suite(.timeLimit(.minutes(20))) struct PackedTallyTests {
    private struct Delta: Sendable {
        var at: Instant
        var dimensions: [String]
        var count: Int
    }

    private static let tally = TaskExecution.tally

    /// Deltas of some days around the tests' clock.
    private static func deltas(_ count: Int, _ random: inout SeededGenerator) -> [Delta] {
        (0..<count).map { _ in
            Delta(
                at: TestClock.start + .seconds(.random(in: -200_000...200_000, using: &random)),
                dimensions: [
                    ["a", "b"].randomElement(using: &random) ?? "",
                    ["x", "y"].randomElement(using: &random) ?? "",
                    String(Int.random(in: 0...3, using: &random) * 1_237),
                    ["q", ""].randomElement(using: &random) ?? "",
                ], count: .random(in: -1...3, using: &random))
        }
    }

    private static func sums(
        _ deltas: [Delta], from start: Instant = Instant(microseconds: .min),
        to end: Instant = Instant(microseconds: .max),
        _ filters: [String?] = []
    ) -> [[String]: Int] {
        var sums: [[String]: Int] = [:]
        for delta in deltas where delta.at >= start && delta.at < end {
            guard zip(delta.dimensions, filters).allSatisfy({ $1 == nil || $0 == $1 }) else { continue }
            sums[delta.dimensions, default: 0] += delta.count
        }
        return sums.filter { $0.value != 0 }
    }

    private static func counted(
        _ database: any Database, from start: Instant, to end: Instant, _ filters: [String?] = []
    ) async throws -> [[String]: Int] {
        let counts = try await database.read { db in
            try tally.counts(from: start, to: end, filters: filters, db)
        }
        return Dictionary(uniqueKeysWithValues: counts.map { ($0.dimensions, $0.count) })
    }

    private static func add(_ deltas: [Delta], _ database: any Database) async throws {
        try await database.write { tx in
            for delta in deltas { try tally.add(delta.count, at: delta.at, delta.dimensions, tx) }
        }
    }

    @Test(arguments: TestDatabase.available)
    func countsAreAModelsWhateverIsFoldedAndByHoweverMany(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            let database = platform.database
            var model: [Delta] = []
            for _ in 0..<25 {
                let parts = (0..<3).map { _ in Self.deltas(.random(in: 0...30, using: &random), &random) }
                let limit = Int.random(in: 1...40, using: &random)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for part in parts { group.addTask { try await Self.add(part, database) } }
                    for _ in 0..<2 {
                        group.addTask {
                            _ = try await database.write { try Tally.compact($0, limit: limit) }
                        }
                    }
                    try await group.waitForAll()
                }
                model += parts.flatMap { $0 }
                let ends = [0, 1].map { _ in
                    Tally.floor(
                        TestClock.start + .seconds(.random(in: -220_000...220_000, using: &random)))
                }.sorted()
                let filters: [String?] = [["a", "b"], ["x", "y"], ["0", "1237"], ["q", ""]].map {
                    Bool.random(using: &random) ? $0.randomElement(using: &random) : nil
                }
                let found = try await Self.counted(database, from: ends[0], to: ends[1], filters)
                #expect(found == Self.sums(model, from: ends[0], to: ends[1], filters), "seed \(seed)")
            }
            while try await database.write({ try Tally.compact($0) }) > 0 {}
            #expect(try await platform.count("tally_deltas") == 0)
            #expect(try await platform.count("tallies", where: "metric = 'tasks'") == 0)
            let all = try await Self.counted(
                database, from: TestClock.start - .seconds(300_000), to: TestClock.start + .seconds(300_000))
            #expect(all == Self.sums(model), "seed \(seed)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func countsOfBeforeAreTheSameAfterTheMigration(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let database = try await TestDatabase.make(dialect)
        let migrations = allMigrations([])
        try await Migrator(migrations.filter { $0.id < tallyHistogramMigration.id }).migrate(database)
        let (folded, waiting, late) = (
            Self.deltas(300, &random), Self.deltas(20, &random), Self.deltas(20, &random)
        )
        /// As a version folds that does not pack.
        @Sendable func foldOldWay(_ deltas: [Delta]) async throws {
            try await database.write { tx in
                for delta in deltas {
                    for grain in Tally.grains {
                        let bucket = Tally.floor(delta.at.microseconds, to: grain.length)
                        let d = delta.dimensions
                        try tx.run(
                            """
                            INSERT INTO tallies (metric, grain, bucket, d1, d2, d3, d4, count) VALUES ('tasks', \
                            \(grain.name), \(bucket), \(d[0]), \(d[1]), \(d[2]), \(d[3]), \(delta.count))
                            ON CONFLICT (metric, grain, bucket, d1, d2, d3, d4) DO UPDATE \
                            SET count = tallies.count + excluded.count
                            """)
                    }
                }
            }
        }
        try await foldOldWay(folded)
        try await Self.add(waiting, database)
        try await Migrator(migrations).migrate(database)
        // A process of the version before still runs.
        try await foldOldWay(late)
        while try await database.write({ try Tally.compact($0) }) > 0 {}
        for _ in 0..<20 {
            let ends = [0, 1].map { _ in
                Tally.floor(TestClock.start + .seconds(.random(in: -220_000...220_000, using: &random)))
            }.sorted()
            let found = try await Self.counted(database, from: ends[0], to: ends[1])
            let expected = Self.sums(folded + waiting + late, from: ends[0], to: ends[1])
            #expect(found == expected, "seed \(seed)")
        }
        await database.close()
    }
}
