package import Storage

/// The stretch of time that a list covers, exactly as it was used.
///
/// Rows and counts both cover `[start, end)`; the start is rounded down to
/// the minute so that roll-ups can answer for it.
package struct TimeWindow: Sendable, Hashable {
    package var start: Instant
    /// nil means open: up to the newest row.
    package var end: Instant?

    /// - Throws: ``Failure/Code/invalidInput`` when the end is not after the start.
    package init(sinceHours: Int, start: Instant?, end: Instant?, now: Instant) throws {
        self.start = Tally.floor(start ?? (end ?? now) - .seconds(sinceHours * 3_600))
        self.end = end
        guard let end, end <= self.start else { return }
        throw Failure.invalid([.init("end_time", "must be after start_time (\(self.start)), not \(end)")])
    }

    /// Rows of a table whose ids carry their time.
    package var condition: SQL {
        let from: SQL = "id >= \(ULID.first(at: start))"
        guard let end else { return from }
        return from + " AND id < \(ULID.first(at: end))"
    }

    /// Where counts end: an open window reaches past the running minute.
    package func countEnd(now: Instant) -> Instant {
        Tally.floor((end ?? now + .seconds(120)) + .microseconds(59_999_999))
    }

    /// Whether roll-ups can answer exactly: the end falls on a minute.
    package var isWholeMinutes: Bool { end.map { Tally.floor($0) == $0 } ?? true }
}
