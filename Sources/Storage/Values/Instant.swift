import Glibc

/// A moment in UTC, in microseconds since 1970: what both databases keep
/// exactly, as `BIGINT` and `INTEGER`.
///
/// In text and in JSON it is RFC 3339 with six digits of fraction,
/// `2026-11-22T10:00:00.123456Z`, so texts sort as moments do.
package struct Instant: Sendable, Hashable, Comparable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// The machine's wall clock. Statements take the moment as a bind and never
    /// ask the database for it.
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }

    /// The moment `duration` later, cut to whole microseconds.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds + duration.microseconds)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds - duration.microseconds)
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }
}

extension Duration {
    /// Whole microseconds; what is finer is cut off.
    var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    /// Whole milliseconds, at least one for any positive duration: the engines
    /// take 0 for "no limit".
    var milliseconds: Int64 {
        self <= .zero ? 0 : max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}

extension Instant: SQLBindable, SQLDecodable {
    package var sqlValue: SQLValue { .int(microseconds) }
    package static var sqlType: SQLType { .int }
    package init(sql: SQLValue) throws { self.init(microseconds: try Int64(sql: sql)) }
}

extension Instant: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = Instant(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a moment such as 2026-11-22T10:00:00Z (RFC 3339)")
        }
        self = instant
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
