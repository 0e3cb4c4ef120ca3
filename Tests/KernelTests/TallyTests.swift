import JSON
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Kernel

@Suite struct TallyTests {
    @Test func whatEvensOutIsNotWritten() {
        var changes = TallyChanges(Tally("test"))
        changes.add(1, at: TestClock.start, ["a"])
        changes.add(-1, at: TestClock.start + .microseconds(1), ["a", ""])
        #expect(changes.statements.isEmpty)
        changes.add(2, at: TestClock.start, ["b"])
        changes.add(2, at: TestClock.start + .seconds(60), ["b"])
        #expect(changes.statements.count == 1)
    }

    private struct Delta {
        var at: Instant
        var dimensions: [String]
        var count: Int
    }

    @Test(arguments: TestDatabase.available)
    func countsEqualANaiveModelWhateverIsFolded(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        var generator = SeededGenerator(seed: seed)
        try await TestPlatform.with(dialect) { platform in
            let tally = Tally("test")
            let other = tally.part("other")
            var model: [Delta] = []
            // Four days around midnight, some of it before 1970.
            let origin =
                [Instant(microseconds: 0), TestClock.start].randomElement(using: &generator)
                ?? TestClock.start
            func instant() -> Instant {
                origin + .seconds(.random(in: -172_800...172_800, using: &generator))
                    + .microseconds(.random(in: 0..<1_000_000, using: &generator))
            }
            for _ in 0..<60 {
                let deltas = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                    Delta(
                        at: instant(),
                        dimensions: (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                            ["", "a", "b"].randomElement(using: &generator) ?? ""
                        }, count: .random(in: -2...3, using: &generator))
                }
                let fold = Bool.random(using: &generator) ? Int.random(in: 1...9, using: &generator) : nil
                try await platform.database.write { tx in
                    for delta in deltas { try tally.add(delta.count, at: delta.at, delta.dimensions, tx) }
                    try other.add(1, at: origin, ["a"], tx)
                    if let fold { _ = try Tally.compact(tx, limit: fold) }
                }
                model += deltas
                let ends = [instant(), instant()].map(Tally.floor).sorted()
                let filters: [String?] = (0..<4).map { _ in
                    Bool.random(using: &generator) ? ["", "a", "b"].randomElement(using: &generator) : nil
                }
                let counts = try await platform.database.read { db in
                    try tally.counts(from: ends[0], to: ends[1], filters: filters, db)
                }
                var expected: [[String]: Int] = [:]
                for delta in model where delta.at >= ends[0] && delta.at < ends[1] {
                    let dimensions =
                        delta.dimensions + Array(repeating: "", count: 4 - delta.dimensions.count)
                    guard zip(dimensions, filters).allSatisfy({ $1 == nil || $0 == $1 }) else { continue }
                    expected[dimensions, default: 0] += delta.count
                }
                #expect(
                    Dictionary(uniqueKeysWithValues: counts.map { ($0.dimensions, $0.count) })
                        == expected.filter { $0.value != 0 }, "seed \(seed)")
            }
            while try await platform.database.write({ try Tally.compact($0) }) > 0 {}
            #expect(try await platform.count("tally_deltas") == 0)
        }
    }

    @Test func spansCoverAWindowExactlyAndBriefly() {
        let seed = SeededGenerator.randomSeed()
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let minutes = [
                Int64.random(in: -100_000...100_000, using: &generator),
                .random(in: -100_000...100_000, using: &generator),
            ]
            .sorted()
            let (start, end) = (minutes[0] * Tally.minute, minutes[1] * Tally.minute)
            let spans = Tally.spans(start, end)
            var position = start
            for span in spans {
                #expect(span.start == position && span.end > span.start, "seed \(seed)")
                let length = Tally.grains.first { $0.name == span.grain }?.length ?? 1
                #expect(span.start % length == 0 && span.end % length == 0, "seed \(seed)")
                position = span.end
            }
            #expect(position == end || spans.isEmpty && start == end, "seed \(seed)")
            #expect(spans.count <= 5)
        }
    }

    @Test(arguments: TestDatabase.available)
    func countsAreExactWhileManyAddAndTwoFold(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let tally = Tally("busy")
            let at = Tally.floor(platform.now)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for _ in 0..<30 {
                            try await platform.database.write {
                                try tally.add(1, at: at, ["w\(writer % 2)"], $0)
                            }
                        }
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<30 {
                            _ = try await platform.database.write { try Tally.compact($0, limit: 5) }
                        }
                    }
                }
                group.addTask {
                    var last = 0
                    for _ in 0..<30 {
                        let total = try await platform.database.read { db in
                            try tally.counts(from: at, to: at + .seconds(60), filters: [], db).reduce(0) {
                                $0 + $1.count
                            }
                        }
                        // Folding never hides or doubles anything on the way.
                        #expect(total >= last && total <= 120)
                        last = total
                    }
                }
                try await group.waitForAll()
            }
            let counts = try await platform.database.read { db in
                try tally.counts(from: at, to: at + .seconds(60), filters: [], db)
            }
            #expect(counts.map(\.count) == [60, 60])
        }
    }
}
