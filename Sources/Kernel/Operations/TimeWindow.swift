package import Storage

/// The stretch of time that a list covers, exactly as it was used.
///
/// Rows and counts both cover `[start, end)`; the start is rounded down to
/// the minute so that roll-ups can answer for it.
package struct TimeWindow: Sendable, Hashable {
    package var start: Instant
    /// nil means open: up to the newest row.
    package var end: Instant?
    /// The question that it answers, in the caller's own terms: the same on every page,
    /// though a window of so many hours moves on.
    package let asked: String

    /// - Throws: ``Failure/Code/invalidInput`` when the end is not after the start.
    package init(sinceHours: Int, start: Instant?, end: Instant?, now: Instant) throws {
        self.start = Tally.floor(start ?? (end ?? now) - .seconds(sinceHours * 3_600))
        self.end = end
        asked = "\(start.map { "\($0)" } ?? "\(sinceHours) h")/\(end.map { "\($0)" } ?? "")"
        guard let end, end <= self.start else { return }
        throw Failure.invalid([.init("end_time", "must be after start_time (\(self.start)), not \(end)")])
    }

    /// The same question with the start that another page has used.
    func starting(at start: Instant) -> TimeWindow {
        var window = self
        window.start = start
        return window
    }

    /// Rows of a table whose ids carry their time.
    package var condition: SQL {
        let from: SQL = "id >= \(ULID.first(at: start))"
        guard let end else { return from }
        return from + " AND id < \(ULID.first(at: end))"
    }

    /// Where roll-ups end, which know whole minutes only. An open window reaches
    /// past the running minute.
    package func countEnd(now: Instant) -> Instant { Tally.floor(end ?? now + .seconds(180)) }

    /// The rows after ``countEnd(now:)``, those of the minute that the window
    /// ends in; nil when there can be none.
    package var remainder: SQL? {
        guard let end, Tally.floor(end) < end else { return nil }
        return "id >= \(ULID.first(at: Tally.floor(end))) AND id < \(ULID.first(at: end))"
    }
}
