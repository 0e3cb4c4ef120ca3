/// The members of a JSON object, in the order they were added.
///
/// Two objects are equal when they hold equal members, in any order. Setting an
/// existing member keeps its position. Names are compared as Swift compares
/// strings, so two spellings of one character are one name. Looking a member up is constant-time
/// once there are more than a handful.
package struct JSONObject: Sendable, Sequence {
    /// A member: its name and its value.
    package typealias Element = (key: String, value: JSONValue)

    /// Below this many members a scan beats hashing.
    private static let indexThreshold = 12

    private var entries: [Element] = []
    private var index: [String: Int]?

    /// An object without members.
    package init() {}

    /// The pairs in order; of two with one name, the last value wins.
    package init(_ pairs: some Sequence<(String, JSONValue)>) {
        for (key, value) in pairs { self[key] = value }
    }

    /// How many members there are.
    package var count: Int { entries.count }
    /// Whether there are none.
    package var isEmpty: Bool { entries.isEmpty }
    /// The names, in order.
    package var keys: [String] { entries.map(\.key) }
    /// The values, in order.
    package var values: [JSONValue] { entries.map(\.value) }
    package var underestimatedCount: Int { entries.count }

    package func makeIterator() -> IndexingIterator<[Element]> { entries.makeIterator() }

    /// The member named `key`; setting `nil` removes it, setting `.null` stores a null.
    package subscript(_ key: String) -> JSONValue? {
        get { position(of: key).map { entries[$0].value } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let found = position(of: key) {
                entries[found].value = newValue
            } else {
                add(key, newValue)
            }
        }
    }

    /// Whether there is a member named `key`, be it null.
    package func contains(_ key: String) -> Bool { position(of: key) != nil }

    /// Removes a member and returns what it was.
    @discardableResult
    package mutating func removeValue(forKey key: String) -> JSONValue? {
        guard let found = position(of: key) else { return nil }
        let removed = entries.remove(at: found).value
        index = nil
        if entries.count > Self.indexThreshold { buildIndex() }
        return removed
    }

    /// Adds the other object's members; where both have one, the other's value wins.
    package mutating func merge(_ other: JSONObject) {
        for (key, value) in other { self[key] = value }
    }

    /// This object with the other's members added; see ``merge(_:)``.
    package func merging(_ other: JSONObject) -> JSONObject {
        var copy = self
        copy.merge(other)
        return copy
    }

    /// Adds a member unless the name is taken; false says it was.
    mutating func insertNew(_ key: String, _ value: JSONValue) -> Bool {
        guard position(of: key) == nil else { return false }
        add(key, value)
        return true
    }

    private mutating func add(_ key: String, _ value: JSONValue) {
        index?[key] = entries.count
        entries.append((key, value))
        if index == nil, entries.count > Self.indexThreshold { buildIndex() }
    }

    private mutating func buildIndex() {
        var built: [String: Int] = [:]
        built.reserveCapacity(entries.count * 2)
        for (offset, entry) in entries.enumerated() { built[entry.key] = offset }
        index = built
    }

    private func position(of key: String) -> Int? {
        if let index { return index[key] }
        for offset in entries.indices where entries[offset].key == key { return offset }
        return nil
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.entries.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        // Members are combined commutatively because equality ignores order.
        var sum = 0
        for entry in entries {
            var member = Hasher()
            member.combine(entry.key)
            member.combine(entry.value)
            sum &+= member.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}

extension JSONObject: CustomStringConvertible {
    package var description: String { JSONValue.object(self).text }
}
