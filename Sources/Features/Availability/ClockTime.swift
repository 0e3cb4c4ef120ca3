package import JSON
package import Kernel

/// A time of a local day, `00:00` to `24:00`.
///
/// Read as `HH:MM` or `HH:MM:SS` on the grid of five minutes, written as `HH:MM:SS`.
package struct ClockTime: Sendable, Hashable, Comparable {
    package static let lastMinute = 1_440

    package var minute: Int

    package init(minute: Int) { self.minute = minute }

    /// Nil for what is no time of a day.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count),
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60,
            parts.count == 2 || parts[2] == "00", hours * 60 + minutes <= Self.lastMinute
        else { return nil }
        minute = hours * 60 + minutes
    }

    package var isOnGrid: Bool { minute % DayBits.slotMinutes == 0 }

    package static func < (a: ClockTime, b: ClockTime) -> Bool { a.minute < b.minute }
}

extension ClockTime: CustomStringConvertible {
    package var description: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60)):00"
    }
}

extension ClockTime: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = ClockTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a time of a day such as 09:30:00")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension ClockTime: InputValue {
    package static var inputSchema: JSONObject {
        ["type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][05](:00)?$"]
    }

    package init(input: JSONValue) throws(InputProblem) {
        guard case .string(let text) = input, let time = ClockTime(text) else {
            throw InputProblem("must be a time of a day from 00:00 to 24:00, such as 09:30")
        }
        guard time.isOnGrid else { throw InputProblem("must be a multiple of five minutes, not \(time)") }
        self = time
    }

    package var inputJSON: JSONValue { .string(description) }
}

extension ClockTime: SchemaDescribing {
    /// What is written may be off the grid: where a lesson of so many minutes ends.
    package static var jsonSchema: JSONValue {
        ["type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]:00$"]
    }
    package static var schemaExample: ClockTime { ClockTime(minute: 0) }
}
