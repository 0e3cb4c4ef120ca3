/// RFC 3339 without a calendar: days are converted with the proleptic
/// Gregorian rules.
extension Instant: CustomStringConvertible {
    private static let microsecondsPerDay: Int64 = 86_400_000_000
    private static let daysBefore1970: Int64 = 719_468
    private static let daysPerEra: Int64 = 146_097

    private static let textLength = 27

    /// `2026-11-22T10:00:00.123456Z`. Years outside 0000 to 9999, which RFC 3339
    /// cannot express, are written with as many digits as they need.
    package var description: String { withUTF8 { String(decoding: $0, as: UTF8.self) } }

    /// Lends the text without making a string of it.
    package func withUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        let (days, time) = microseconds.quotientAndRemainderRoundingDown(by: Self.microsecondsPerDay)
        let date = Self.civil(days: days)
        guard (0...9999).contains(date.year) else {
            var text = "\(date.year)-\(date.month)-\(date.day) (\(microseconds) microseconds)"
            return try text.withUTF8(body)
        }
        return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textLength) { buffer in
            Self.write(date, time, to: buffer)
            return try body(UnsafeBufferPointer(buffer))
        }
    }

    /// Initializes all of a buffer of ``textLength``.
    private static func write(
        _ date: (year: Int64, month: Int64, day: Int64), _ time: Int64,
        to buffer: UnsafeMutableBufferPointer<UInt8>
    ) {
        func put(_ value: Int64, digits: Int, at start: Int, then separator: Unicode.Scalar) {
            var rest = value
            for index in stride(from: start + digits - 1, through: start, by: -1) {
                buffer[index] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                rest /= 10
            }
            buffer[start + digits] = UInt8(ascii: separator)
        }
        let seconds = time / 1_000_000
        put(date.year, digits: 4, at: 0, then: "-")
        put(date.month, digits: 2, at: 5, then: "-")
        put(date.day, digits: 2, at: 8, then: "T")
        put(seconds / 3600, digits: 2, at: 11, then: ":")
        put(seconds / 60 % 60, digits: 2, at: 14, then: ":")
        put(seconds % 60, digits: 2, at: 17, then: ".")
        put(time % 1_000_000, digits: 6, at: 20, then: "Z")
    }

    /// Reads RFC 3339 section 5.6: date, `T`, time, an optional fraction, and
    /// `Z` or a numeric offset. Digits beyond microseconds are cut off. Anything
    /// else is refused, also days that do not exist and leap seconds, which a
    /// count of microseconds cannot tell from the second after.
    package init?(parsing text: String) {
        var scanner = InstantScanner(Array(text.utf8))
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), (1...12).contains(month), scanner.skip("-"),
            let day = scanner.number(digits: 2), day >= 1, day <= Self.days(inMonth: month, of: year),
            scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.number(digits: 2), hour < 24, scanner.skip(":"),
            let minute = scanner.number(digits: 2), minute < 60, scanner.skip(":"),
            let second = scanner.number(digits: 2), second < 60,
            let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd
        else { return nil }
        let seconds =
            Self.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        self.init(microseconds: (seconds - offset) * 1_000_000 + fraction)
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01. Years begin in March here, so that the leap day is
    /// the last day of a year.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.quotientAndRemainderRoundingDown(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * daysPerEra + dayOfEra - daysBefore1970
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + daysBefore1970).quotientAndRemainderRoundingDown(by: daysPerEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func quotientAndRemainderRoundingDown(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// Reads the pieces of an RFC 3339 moment from left to right.
private struct InstantScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func number(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds: 0 without a fraction, nil when the dot is followed by none.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        guard let first = digit() else { return nil }
        var value = first * 100_000
        var unit: Int64 = 10_000
        while let next = digit() {
            value += next * unit
            unit /= 10
        }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64 = skip("+") ? 1 : -1
        guard sign == 1 || skip("-"), let hours = number(digits: 2), hours < 24, skip(":"),
            let minutes = number(digits: 2), minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private mutating func digit() -> Int64? {
        guard position < bytes.count, (48...57).contains(bytes[position]) else { return nil }
        position += 1
        return Int64(bytes[position - 1] - 48)
    }
}
