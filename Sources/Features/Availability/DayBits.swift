package import Storage

/// The availability of one day: 288 slots of five minutes, a bit for each.
///
/// Stored as 36 bytes. Slot `i` begins at minute `5 * i` of the local day and
/// lives in byte `i / 8`, least significant bit first; ``place(_:)`` is the one
/// function that knows so. Domain specification §1.5.
package struct DayBits: Sendable, Hashable {
    package static let slotMinutes = 5
    package static let slotCount = 288
    package static let byteCount = 36
    /// Lessons begin on multiples of this.
    package static let startGridMinutes = 15

    package private(set) var bytes: [UInt8]

    /// A day on which nothing is available.
    package init() { bytes = Array(repeating: 0, count: Self.byteCount) }

    /// Nil for another number of bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The windows' slots; windows that touch or overlap become one.
    package init(_ windows: [DayWindow]) {
        self.init()
        for window in windows { set(window, to: true) }
    }

    private static func place(_ slot: Int) -> (byte: Int, mask: UInt8) { (slot / 8, 1 << UInt8(slot % 8)) }

    package subscript(slot: Int) -> Bool {
        get {
            let place = Self.place(slot)
            return bytes[place.byte] & place.mask != 0
        }
        set {
            let place = Self.place(slot)
            if newValue { bytes[place.byte] |= place.mask } else { bytes[place.byte] &= ~place.mask }
        }
    }

    package var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Sets or clears every slot that the window touches.
    package mutating func set(_ window: DayWindow, to isAvailable: Bool) {
        for slot in window.slots { self[slot] = isAvailable }
    }

    /// Whether every slot of the window is available.
    package func covers(_ window: DayWindow) -> Bool { window.slots.allSatisfy { self[$0] } }

    /// Whether any slot of the window is available.
    package func touches(_ window: DayWindow) -> Bool { window.slots.contains { self[$0] } }

    package mutating func formUnion(_ other: DayBits) {
        for index in bytes.indices { bytes[index] |= other.bytes[index] }
    }

    /// The maximal runs of available slots, in order.
    package var windows: [DayWindow] {
        var windows: [DayWindow] = []
        var start: Int?
        for slot in 0...Self.slotCount {
            let isOn = slot < Self.slotCount && self[slot]
            if isOn, start == nil { start = slot }
            if !isOn, let first = start {
                windows.append(
                    DayWindow(startMinute: first * Self.slotMinutes, endMinute: slot * Self.slotMinutes))
                start = nil
            }
        }
        return windows
    }
}

extension DayBits: SQLBindable, SQLDecodable {
    package static var sqlType: SQLType { .bytes }
    package var sqlValue: SQLValue { .bytes(bytes) }
    package init(sql: SQLValue) throws {
        guard let bits = DayBits(bytes: try [UInt8](sql: sql)) else {
            throw StorageError.decode("a day's availability has \(Self.byteCount) bytes")
        }
        self = bits
    }
}
