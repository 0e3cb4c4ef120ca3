import FoundationEssentials
import Kernel
import PlatformSupport
import Synchronization
import Testing

@Suite struct ULIDTests {
    @Test func theTextFormOfKnownBitsIsKnown() throws {
        #expect(ULID(high: 0, low: 0).description == "00000000000000000000000000")
        #expect(ULID(high: .max, low: .max).description == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        #expect(ULID(high: 0, low: 31).description == "0000000000000000000000000Z")
        // The example of the ULID specification: 2016-07-30T23:54:10.259Z.
        let example = try #require(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        #expect(example.milliseconds == 1_469_922_850_259)
        #expect(example.description == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    }

    @Test(arguments: [
        "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV", "01arz3ndektsv4rrffq69g5fav",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV", "O1ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI",
        "01ARZ3NDEKTSV4RRFFQ69G5FAL", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01ARZ3NDEKTSV4RRFFQ69G5FA-",
        "01ARZ3NDEKTSV4RRFFQ69G5FA ", " 1ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FÄ",
        "01ARZ3NDEKTSV4RRFFQ69G5F\u{0}V", "０1ARZ3NDEKTSV4RRFFQ69G5FA",
    ])
    func everyOtherSpellingIsRefused(text: String) {
        #expect(ULID(text) == nil)
    }

    @Test func everyCharacterOfTheAlphabetIsReadAndWrittenBack() {
        for character in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
            let text = "0" + String(repeating: character, count: 25)
            #expect(ULID(text)?.description == text)
        }
    }

    @Test func textBytesAndOrderAgree() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            // Half of the pairs share their upper half, so that the lower decides.
            let high = random.next()
            let one = ULID(high: high, low: random.next())
            let other = ULID(high: Bool.random(using: &random) ? high : random.next(), low: random.next())
            #expect((one < other) == (one.description < other.description), "seed \(seed)")
            #expect((one < other) == one.bytes.lexicographicallyPrecedes(other.bytes), "seed \(seed)")
            #expect(ULID(one.description) == one, "seed \(seed)")
            #expect(ULID(bytes: one.bytes) == one, "seed \(seed)")
        }
        #expect(ULID(bytes: [UInt8](repeating: 0, count: 15)) == nil)
    }

    @Test func aTimeOutsideOfItsBitsIsClamped() {
        #expect(ULID(milliseconds: -1, randomHigh: 0, randomLow: 0).milliseconds == 0)
        #expect(ULID(milliseconds: .max, randomHigh: 0, randomLow: 0).milliseconds == ULID.latestMilliseconds)
    }

    @Test func inJSONItIsItsText() throws {
        let id = try #require(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        let data = try JSONEncoder().encode([id])
        #expect(String(decoding: data, as: UTF8.self) == #"["01ARZ3NDEKTSV4RRFFQ69G5FAV"]"#)
        #expect(try JSONDecoder().decode([ULID].self, from: data) == [id])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([ULID].self, from: Data(#"["01arz3ndektsv4rrffq69g5fav"]"#.utf8))
        }
    }
}

@Suite struct ULIDGeneratorTests {
    @Test func anIdentifierHoldsTheTimeItWasMadeAt() {
        let ids = ULIDGenerator(clock: { 1_700_000_000_123 }, random: { .max })
        let first = ids.next()
        #expect(first.milliseconds == 1_700_000_000_123)
        #expect(first.low == .max)
    }

    @Test func identifiersGoUpWhenTheClockStandsStillOrStepsBack() {
        let times = Mutex<[Int64]>([5_000, 5_000, 4_000, 1, 5_001, 5_000])
        let ids = ULIDGenerator(
            clock: { times.withLock { $0.isEmpty ? 0 : $0.removeFirst() } }, random: { 0x1234 })
        let made = (0..<6).map { _ in ids.next() }
        #expect(made.map(\.milliseconds) == [5_000, 5_000, 5_000, 5_000, 5_001, 5_001])
        #expect(zip(made, made.dropFirst()).allSatisfy { $0 < $1 })
        #expect(made[3].low == made[0].low + 3)
    }

    @Test func usedUpRandomBitsCarryIntoTheTime() {
        let ids = ULIDGenerator(clock: { 7 }, random: { .max })
        let first = ids.next()
        let second = ids.next()
        #expect(first.high == 7 << 16 | 0xFFFF)
        #expect(second.milliseconds == 8)
        #expect(first < second)
    }

    @Test func tasksThatShareAGeneratorNeverSeeOneIdentifierTwice() async {
        let ids = ULIDGenerator()
        let all = await withTaskGroup(of: [ULID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<1_000).map { _ in ids.next() } } }
            return await group.reduce(into: [[ULID]]()) { $0.append($1) }
        }
        #expect(Set(all.joined()).count == 8_000)
        #expect(all.allSatisfy { $0 == $0.sorted() })
    }
}
