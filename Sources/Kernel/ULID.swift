/// A 128-bit identifier whose text form sorts by the time it was made.
///
/// Forty-eight bits of milliseconds since 1970, then eighty random bits. The
/// text form is 26 upper-case Crockford characters and is the only one
/// accepted: lower case, the look-alikes I, L, O and U, and a first
/// character above 7 are refused, so one identifier has exactly one
/// spelling. Byte order, text order and `<` agree.
///
/// Source: github.com/ulid/spec; the alphabet as in the domain
/// specification §0.
package struct ULID: Sendable, Hashable, Comparable {
    /// The time in the upper 48 bits, the first 16 random bits below.
    package let high: UInt64
    /// The last 64 random bits.
    package let low: UInt64

    /// The number of characters in the text form.
    package static let textLength = 26
    /// The latest time an identifier can hold: the year 10889.
    package static let latestMilliseconds: Int64 = (1 << 48) - 1

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Builds an identifier from its parts.
    ///
    /// A time outside of 0 to ``latestMilliseconds`` becomes the nearest
    /// one inside.
    package init(milliseconds: Int64, randomHigh: UInt16, randomLow: UInt64) {
        let time = UInt64(min(max(milliseconds, 0), Self.latestMilliseconds))
        self.init(high: time << 16 | UInt64(randomHigh), low: randomLow)
    }

    /// The time it was made, in milliseconds since 1970.
    package var milliseconds: Int64 { Int64(high >> 16) }

    /// The sixteen bytes, most significant first.
    package var bytes: [UInt8] {
        (0..<16).map { index in
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
        }
    }

    /// Reads sixteen bytes, most significant first; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        self.init(high: high, low: low)
    }

    package static func < (left: ULID, right: ULID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension ULID: LosslessStringConvertible {
    /// Reads the 26-character text form; nil for anything else.
    package init?(_ description: String) {
        var text = description
        let parsed = text.withUTF8 { Self.parse($0) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads the text form from its bytes; nil for anything else.
    package init?(utf8: UnsafeBufferPointer<UInt8>) {
        guard let parsed = Self.parse(utf8) else { return nil }
        self = parsed
    }

    /// The 26-character text form.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textLength) { buffer in
            var high = self.high
            var low = self.low
            for index in stride(from: Self.textLength - 1, through: 0, by: -1) {
                buffer[index] = Self.character(UInt8(truncatingIfNeeded: low & 31))
                low = low >> 5 | high << 59
                high >>= 5
            }
            return Self.textLength
        }
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> ULID? {
        // The first character holds the three bits that 26 times five are
        // more than 128, so a larger one would lose bits.
        guard text.count == textLength, text[0] <= UInt8(ascii: "7") else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in text {
            guard let digit = value(byte) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        return ULID(high: high, low: low)
    }

    /// Arithmetic instead of a table: no load, no bounds check.
    private static func character(_ digit: UInt8) -> UInt8 {
        switch digit {
        case 0...9: UInt8(ascii: "0") + digit
        case 10...17: UInt8(ascii: "A") + (digit - 10)
        case 18...19: UInt8(ascii: "J") + (digit - 18)
        case 20...21: UInt8(ascii: "M") + (digit - 20)
        case 22...26: UInt8(ascii: "P") + (digit - 22)
        default: UInt8(ascii: "V") + (digit - 27)
        }
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "H"): character - UInt8(ascii: "A") + 10
        case UInt8(ascii: "J")...UInt8(ascii: "K"): character - UInt8(ascii: "J") + 18
        case UInt8(ascii: "M")...UInt8(ascii: "N"): character - UInt8(ascii: "M") + 20
        case UInt8(ascii: "P")...UInt8(ascii: "T"): character - UInt8(ascii: "P") + 22
        case UInt8(ascii: "V")...UInt8(ascii: "Z"): character - UInt8(ascii: "V") + 27
        default: nil
        }
    }
}

extension ULID: Codable {
    /// Reads the text form; anything else is a data-corrupted error.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = ULID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "an id has 26 characters of 0-9 and A-Z without I, L, O and U")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
