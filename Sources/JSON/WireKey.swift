import Synchronization

/// How a Swift property name becomes a JSON member name.
///
/// `eventID` → `event_id`, `actorIP` → `actor_ip`, `processingDurationMS` →
/// `processing_duration_ms`, `bookingIDs` → `booking_ids`, `last24h` stays.
/// Names that contain an underscore stay, and so do all names of a key type
/// with a `String` raw type (written out by hand) and dictionary keys.
enum WireKey {
    /// Answers by key type: asking the runtime costs about a microsecond.
    private static let verbatimTypes = Mutex<[ObjectIdentifier: Bool]>([:])

    /// Whether names of this key type are used as they are.
    static func isVerbatim(_ type: any CodingKey.Type) -> Bool {
        let known = verbatimTypes.withLock { $0[ObjectIdentifier(type)] }
        if let known { return known }
        let answer =
            type == VerbatimKey.self || type is any RawRepresentable<String>.Type || isDictionaryKey(type)
        verbatimTypes.withLock { $0[ObjectIdentifier(type)] = answer }
        return answer
    }

    /// Whether this is the standard library's private key type for dictionaries.
    static func isDictionaryKey(_ type: any CodingKey.Type) -> Bool {
        String(describing: type) == "_DictionaryCodingKey"
    }

    /// The member name for a property name.
    static func name(_ property: String) -> String {
        guard property.utf8.contains(where: isUpper) else { return property }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(property.utf8.count + 4)
        append(property, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the member name; it never needs escaping beyond what the property name needed.
    static func append(_ property: String, to bytes: inout [UInt8]) {
        let done: Void? = property.utf8.withContiguousStorageIfAvailable { append($0, to: &bytes) }
        if done == nil { Array(property.utf8).withUnsafeBufferPointer { append($0, to: &bytes) } }
    }

    private static func append(_ name: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        guard name.contains(where: isUpper), !name.contains(UInt8(ascii: "_")) else {
            bytes.append(contentsOf: name)
            return
        }
        var run = 0
        for offset in name.indices where isUpper(name[offset]) {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: name[run..<offset]))
            if offset > 0, startsWord(name, offset) { bytes.append(UInt8(ascii: "_")) }
            bytes.append(name[offset] | 0x20)
            run = offset + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: name[run...]))
    }

    /// Whether the capital at `offset` begins a word: it follows a small letter
    /// or digit, or it ends a run of capitals (`HTTPServer`). A plural `s`
    /// behind such a run (`IDs`) belongs to it.
    private static func startsWord(_ name: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Bool {
        if !isUpper(name[offset - 1]) { return true }
        guard offset + 1 < name.count, isLower(name[offset + 1]) else { return false }
        let isPlural =
            name[offset + 1] == UInt8(ascii: "s") && (offset + 2 == name.count || isUpper(name[offset + 2]))
        return !isPlural
    }

    private static func isUpper(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }
    private static func isLower(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

    /// Property names that a member name may stand for, likeliest first: key
    /// types can only be searched by property name.
    static func candidates(_ member: String) -> [String] {
        let words = member.split(separator: "_", omittingEmptySubsequences: true)
        guard words.count > 1, let first = words.first else { return [member] }
        let rest = words.dropFirst().map(String.init)
        let capitalized = rest.map { Self.capitalized($0) }
        let known = rest.map { acronyms[$0] ?? Self.capitalized($0) }
        return [member, first + capitalized.joined(), first + known.joined()]
    }

    private static func capitalized(_ word: String) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }

    private static let acronyms = [
        "id": "ID", "ids": "IDs", "ip": "IP", "ms": "MS", "url": "URL", "urls": "URLs", "api": "API",
        "http": "HTTP", "json": "JSON", "uri": "URI", "utc": "UTC", "sql": "SQL", "mcp": "MCP",
    ]
}
