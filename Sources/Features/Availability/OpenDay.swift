package import Kernel
package import Storage

/// What of one day students can still book.
package enum OpenDay {
    /// The available slots that exist on that day (a change of the clock may skip
    /// some), begin no earlier than `earliest` and touch nothing that is taken.
    package static func bits(
        _ bits: DayBits, on day: CalendarDay, _ zone: LocalZone, taken: [Range<Instant>], earliest: Instant
    ) -> DayBits {
        let span = zone.span(day)
        guard span.upperBound > earliest, !bits.isEmpty else { return DayBits() }
        let relevant = taken.filter { $0.overlaps(span) } + [earliestBlock(span, earliest)].compactMap { $0 }
        return zone.isPlain(day)
            ? onPlainDay(bits, span, relevant) : onChangingDay(bits, day, zone, relevant, earliest)
    }

    private static let slot = Int64(DayBits.slotMinutes) * 60_000_000

    /// A slot that has begun before the earliest moment is gone as a whole.
    private static func earliestBlock(_ span: Range<Instant>, _ earliest: Instant) -> Range<Instant>? {
        guard earliest > span.lowerBound else { return nil }
        return span.lowerBound..<earliest
    }

    private static func onPlainDay(_ bits: DayBits, _ span: Range<Instant>, _ taken: [Range<Instant>])
        -> DayBits
    {
        var open = bits
        for interval in taken {
            let start = max(0, (interval.lowerBound - span.lowerBound).inMicroseconds / slot)
            let end = ((interval.upperBound - span.lowerBound).inMicroseconds + slot - 1) / slot
            for index in Int(start)..<max(Int(start), min(Int(end), DayBits.slotCount)) {
                open[index] = false
            }
        }
        return open
    }

    private static func onChangingDay(
        _ bits: DayBits, _ day: CalendarDay, _ zone: LocalZone, _ taken: [Range<Instant>],
        _ earliest: Instant
    ) -> DayBits {
        var open = bits
        for index in 0..<DayBits.slotCount where bits[index] {
            let minute = index * DayBits.slotMinutes
            let start = zone.instant(day, minute: minute)
            let span = start..<Instant(microseconds: start.microseconds + slot)
            if zone.skips(day, minute: minute) || taken.contains(where: { $0.overlaps(span) }) {
                open[index] = false
            }
        }
        return open
    }
}

extension Duration {
    /// Whole microseconds; what is finer is cut off.
    fileprivate var inMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
