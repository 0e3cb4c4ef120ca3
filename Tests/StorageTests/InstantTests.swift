import Storage
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-22T10:00:00.123456Z", 1_795_341_600_123_456),
        ("2026-11-22T12:00:00.123456+02:00", 1_795_341_600_123_456),
        ("2026-11-22T04:30:00.1234569-05:30", 1_795_341_600_123_456),
        ("2000-02-29t23:59:59.5z", 951_868_799_500_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000_000),
    ])
    func rfc3339IsRead(text: String, microseconds: Int64) {
        #expect(Instant(parsing: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z", "2026-11-22T10:00:60Z", "2026-11-22 10:00:00Z", "2026-11-22T10:00:00",
        "2026-11-22T10:00Z", "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+01:60", "2026-11-22T10:00:00Z ", " 2026-11-22T10:00:00Z", "2026-11-22", "",
        "+2026-11-22T10:00:00Z", "26-11-22T10:00:00Z", "2026-11-22T10:00:00ZZ", "２026-11-22T10:00:00Z",
    ])
    func whatIsNotAMomentIsRefused(text: String) {
        #expect(Instant(parsing: text) == nil)
    }

    @Test func randomMomentsSurviveTheirText() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(seed: seed)
        var last: (Instant, String)?
        for _ in 0..<20_000 {
            let instant = Instant(
                microseconds: Int64.random(
                    in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random))
            let text = instant.description
            #expect(Instant(parsing: text) == instant, "seed \(seed)")
            if let last {
                #expect((last.0 < instant) == (last.1 < text), "texts sort as moments, seed \(seed)")
            }
            last = (instant, text)
        }
    }

    @Test func durationsAddAndSubtract() {
        let instant = Instant(microseconds: 1_000_000)
        #expect(instant + .milliseconds(1500) == Instant(microseconds: 2_500_000))
        #expect(instant - .seconds(2) == Instant(microseconds: -1_000_000))
        #expect((instant + .hours) - instant == .seconds(3600))
        #expect(Instant.now() > Instant(microseconds: 1_700_000_000_000_000))
    }
}

extension Duration {
    fileprivate static var hours: Duration { .seconds(3600) }
}

/// Repeatable randomness for tests that print their seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
