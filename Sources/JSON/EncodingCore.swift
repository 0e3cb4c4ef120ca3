/// The state that all containers of one encoding share: the output and the
/// stack of objects and arrays that are open.
///
/// Codable has no "end of container". A container is closed when the value
/// that opened it has been written, or when an outer container writes again.
final class EncodingCore {
    /// An open object or array. The serial tells a container whether its frame
    /// is still the one on the stack.
    struct Frame {
        let serial: Int
        let isObject: Bool
        var count = 0
    }

    // Run-time exclusivity checks would take a sixth of the time; no access
    // to these spans a call into foreign code.
    @exclusivity(unchecked) var writer = JSONWriter(capacity: 1024)
    @exclusivity(unchecked) private(set) var frames: [Frame] = []
    private var nextSerial = 0
    /// A member name or array slot was announced and its value is outstanding.
    @exclusivity(unchecked) private var owesValue = false
    private var verbatim: [ObjectIdentifier: Bool] = [:]

    /// Opens a container where a value is due and returns its serial.
    func open(isObject: Bool) -> Int {
        if isObject { writer.beginObject() } else { writer.beginArray() }
        owesValue = false
        nextSerial += 1
        frames.append(Frame(serial: nextSerial, isObject: isObject))
        return nextSerial
    }

    /// Closes frames until `depth` are left; a value still owed becomes null.
    func close(to depth: Int) {
        while frames.count > depth {
            payDebt()
            if frames.removeLast().isObject { writer.endObject() } else { writer.endArray() }
        }
    }

    /// Makes the container the innermost one and announces its next value.
    func begin(_ serial: Int, depth: Int, key: String?, isVerbatim: Bool) throws {
        guard frames.count >= depth, frames[depth - 1].serial == serial else {
            throw EncodingError.invalidValue(
                key as Any,
                .init(
                    codingPath: [], debugDescription: "A container was written to after its parent went on")
            )
        }
        close(to: depth)
        payDebt()
        frames[depth - 1].count += 1
        owesValue = true
        guard let key else { return }
        if isVerbatim {
            writer.key(key)
        } else {
            writer.propertyKey(key)
        }
    }

    /// How many elements the container has so far.
    func count(_ depth: Int) -> Int { frames.count >= depth ? frames[depth - 1].count : 0 }

    /// Writes a scalar where a value is due.
    func scalar(_ write: (inout JSONWriter) -> Void) {
        write(&writer)
        owesValue = false
    }

    /// Writes any value where one is due. `encoder` is this core's encoder.
    func writeValue<T: Encodable>(_ value: T, _ encoder: StreamEncoder) throws {
        if T.self == String.self, let text = value as? String {
            scalar { $0.string(text) }
        } else if T.self == Int.self, let number = value as? Int {
            scalar { $0.int(number) }
        } else if T.self == Bool.self, let flag = value as? Bool {
            scalar { $0.bool(flag) }
        } else if T.self == RawJSON.self, let raw = value as? RawJSON {
            scalar { $0.raw(raw.bytes) }
        } else if T.self == JSONValue.self, let tree = value as? JSONValue {
            scalar { $0.value(tree) }
        } else if T.self == JSONObject.self, let object = value as? JSONObject {
            scalar { $0.object(object) }
        } else {
            let depth = frames.count
            let outer = encoder.opened
            encoder.opened = nil
            owesValue = true
            try value.encode(to: encoder)
            close(to: depth)
            payDebt()
            encoder.opened = outer
        }
    }

    /// Whether names of this key type go out as they are; asked once per type.
    func isVerbatim<Key: CodingKey>(_ type: Key.Type) -> Bool {
        if let known = verbatim[ObjectIdentifier(type)] { return known }
        let answer = WireKey.isVerbatim(type)
        verbatim[ObjectIdentifier(type)] = answer
        return answer
    }

    private func payDebt() {
        guard owesValue else { return }
        writer.null()
        owesValue = false
    }
}

extension JSONWriter {
    /// A member name made from a property name.
    mutating func propertyKey(_ property: String) {
        separate()
        // Names come from key types of any kind, so they may need escaping.
        guard !Self.needsEscaping(property) else { return key(WireKey.name(property)) }
        bytes.append(UInt8(ascii: "\""))
        WireKey.append(property, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}
