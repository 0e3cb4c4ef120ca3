package import JSON
package import Storage

/// A day of the proleptic Gregorian calendar, without a time or a zone;
/// `2026-11-22` in text, in JSON and in the database.
package struct CalendarDay: Sendable, Hashable, Comparable {
    /// Days since 1970-01-01.
    package var number: Int

    package init(number: Int) { self.number = number }

    /// nil for a day that does not exist, or outside of the years 1 to 9999.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9_999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let candidate = CalendarDay(number: Self.number(year, month, day))
        guard candidate.components == (year, month, day) else { return nil }
        self = candidate
    }

    /// Reads exactly `YYYY-MM-DD` (RFC 3339 `full-date`).
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else {
            return nil
        }
        func value(_ range: Range<Int>) -> Int? {
            var result = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                result = result * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return result
        }
        guard let year = value(0..<4), let month = value(5..<7), let day = value(8..<10) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    package var year: Int { components.year }
    package var month: Int { components.month }
    package var day: Int { components.day }

    /// Monday is 1, Sunday 7 (ISO 8601).
    package var weekday: Int { ((number + 3) % 7 + 7) % 7 + 1 }

    /// The Monday of this day's week.
    package var monday: CalendarDay { adding(days: 1 - weekday) }

    package func adding(days: Int) -> CalendarDay { CalendarDay(number: number + days) }

    /// Days from `other` to this one.
    package func days(since other: CalendarDay) -> Int { number - other.number }

    package static func < (left: CalendarDay, right: CalendarDay) -> Bool { left.number < right.number }

    /// The day's first moment in UTC.
    package var startUTC: Instant { Instant(microseconds: Int64(number) * 86_400_000_000) }

    /// The day in UTC that holds `instant`.
    package static func utc(_ instant: Instant) -> CalendarDay {
        let day: Int64 = 86_400_000_000
        let rest = (instant.microseconds % day + day) % day
        return CalendarDay(number: Int((instant.microseconds - rest) / day))
    }

    // Days from civil and back, by counting in years that begin in March
    // (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func number(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private var components: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}

extension CalendarDay: CustomStringConvertible {
    package var description: String {
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let (year, month, day) = components
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    }
}

extension CalendarDay: SQLBindable, SQLDecodable {
    package var sqlValue: SQLValue { .text(description) }
    package static var sqlType: SQLType { .text }
    package init(sql: SQLValue) throws {
        guard let day = CalendarDay(parsing: try String(sql: sql)) else {
            throw StorageError.decode("the stored value is not a day")
        }
        self = day
    }
}

extension CalendarDay: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let day = CalendarDay(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a day such as 2026-11-22")
        }
        self = day
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension CalendarDay: SchemaDescribing {
    package static var jsonSchema: JSONValue { ["type": "string", "format": "date"] }
    package static var schemaExample: CalendarDay { CalendarDay(number: 0) }
}

extension CalendarDay: InputValue {
    package static var inputSchema: JSONObject { ["type": "string", "format": "date"] }
    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input, let day = CalendarDay(parsing: text) else {
            throw InputProblem("must be a day such as 2026-11-22, not \(quoted(input))")
        }
        self = day
    }
    package var inputJSON: JSONValue { .string(description) }
}
