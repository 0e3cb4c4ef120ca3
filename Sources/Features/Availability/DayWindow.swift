/// A stretch of one local day, in minutes since its midnight: `[start, end)`.
package struct DayWindow: Sendable, Hashable, Comparable {
    package var startMinute: Int
    /// At most 1440, which clients see as `24:00:00`.
    package var endMinute: Int

    package init(startMinute: Int, endMinute: Int) {
        self.startMinute = startMinute
        self.endMinute = endMinute
    }

    package init(_ start: ClockTime, _ end: ClockTime) {
        // As the end of a window, midnight is the end of the day.
        self.init(startMinute: start.minute, endMinute: end.minute == 0 ? ClockTime.lastMinute : end.minute)
    }

    package var isInverted: Bool { endMinute <= startMinute }

    /// The slots of ``DayBits`` that the window touches; none when it is inverted.
    package var slots: Range<Int> {
        guard !isInverted, startMinute >= 0 else { return 0..<0 }
        let end = min(endMinute + DayBits.slotMinutes - 1, ClockTime.lastMinute) / DayBits.slotMinutes
        return startMinute / DayBits.slotMinutes..<end
    }

    package func overlaps(_ other: DayWindow) -> Bool {
        startMinute < other.endMinute && other.startMinute < endMinute
    }

    package static func < (a: DayWindow, b: DayWindow) -> Bool {
        (a.startMinute, a.endMinute) < (b.startMinute, b.endMinute)
    }
}

extension DayWindow: Codable {
    private enum CodingKeys: String, CodingKey { case startTime = "start_time", endTime = "end_time" }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try values.decode(ClockTime.self, forKey: .startTime),
            try values.decode(ClockTime.self, forKey: .endTime))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(ClockTime(minute: startMinute), forKey: .startTime)
        try values.encode(ClockTime(minute: endMinute), forKey: .endTime)
    }
}
