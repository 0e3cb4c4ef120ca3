/// The encoder that values see. One instance serves a whole encoding, because
/// `encode(to:)` calls nest; `opened` is the container of the value being written.
final class StreamEncoder: Encoder {
    /// Where a container stands: its depth on the stack and its serial.
    struct Place {
        let depth: Int
        let serial: Int
        let isObject: Bool
    }

    let core: EncodingCore
    @exclusivity(unchecked) var opened: Place?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ core: EncodingCore) { self.core = core }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(
            KeyedStream<Key>(encoder: self, place: place(isObject: true), isVerbatim: core.isVerbatim(type))
        )
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedStream(encoder: self, place: place(isObject: false))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleStream(encoder: self) }

    /// The container of this value. Asked for twice, it is the same one, so
    /// that two types may write their members into one object.
    private func place(isObject: Bool) -> Place {
        if let opened {
            // An object and an array in one value: the first write to it throws.
            return opened.isObject == isObject
                ? opened : Place(depth: opened.depth, serial: -1, isObject: isObject)
        }
        let place = nested(isObject: isObject)
        opened = place
        return place
    }

    /// Opens a container where a value is due.
    func nested(isObject: Bool) -> Place {
        let serial = core.open(isObject: isObject)
        return Place(depth: core.frames.count, serial: serial, isObject: isObject)
    }
}

/// Writes the value itself, without a container around it.
struct SingleStream: SingleValueEncodingContainer {
    let encoder: StreamEncoder
    var codingPath: [any CodingKey] { [] }

    func encodeNil() throws { encoder.core.scalar { $0.null() } }
    func encode(_ value: Bool) throws { encoder.core.scalar { $0.bool(value) } }
    func encode(_ value: String) throws { encoder.core.scalar { $0.string(value) } }
    func encode(_ value: Double) throws { encoder.core.scalar { $0.double(value) } }
    func encode(_ value: Float) throws { encoder.core.scalar { $0.float(value) } }
    func encode(_ value: Int) throws { encoder.core.scalar { $0.int(value) } }
    func encode(_ value: Int8) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: Int16) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: Int32) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: Int64) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: UInt) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: UInt8) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: UInt16) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: UInt32) throws { encoder.core.scalar { $0.integer(value) } }
    func encode(_ value: UInt64) throws { encoder.core.scalar { $0.integer(value) } }
    func encode<T: Encodable>(_ value: T) throws { try encoder.core.writeValue(value, encoder) }
}

extension JSONWriter {
    /// A single-precision number, shortest text; `null` when not finite.
    mutating func float(_ value: Float) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        valueWasWritten()
    }
}
