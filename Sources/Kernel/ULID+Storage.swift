package import Storage

extension ULID: SQLBindable, SQLDecodable {
    package static var sqlType: SQLType { .text }
    package var sqlValue: SQLValue { .text(description) }
    package init(sql: SQLValue) throws {
        guard case .text(let text) = sql, let id = ULID(text) else {
            throw StorageError.decode("not a ULID: \(sql)")
        }
        self = id
    }

    /// When it was made, to the millisecond. Lists select by it, so counts use it too.
    package var instant: Instant { Instant(microseconds: milliseconds * 1_000) }

    /// The smallest id of a moment: `id >= ULID.first(at: start)` selects by time.
    package static func first(at instant: Instant) -> ULID {
        let milliseconds = min(max(instant.microseconds / 1_000, 0), latestMilliseconds)
        return ULID(milliseconds: milliseconds, randomHigh: 0, randomLow: 0)
    }
}

extension ULIDGenerator {
    /// The next id, stamped with `instant`.
    package func next(at instant: Instant) -> ULID { next(atMilliseconds: instant.microseconds / 1_000) }

    /// An id that carries `instant`, however far back it is; in no order with others.
    package func stamped(at instant: Instant) -> ULID {
        stamped(atMilliseconds: instant.microseconds / 1_000)
    }
}
