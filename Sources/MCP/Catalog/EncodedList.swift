import JSON

/// The items of a list, encoded once for every revision.
///
/// A list call then costs a copy, and the same list has the same bytes in every
/// answer, which is what clients' prompt caches need.
struct EncodedList: Sendable {
    private let bytes: [Revision: [UInt8]]

    /// Encodes `"name":[…]` for every revision.
    init<Item>(
        _ name: String, _ items: [Item], write: (Item, inout JSONWriter, Revision) -> Void
    ) {
        var bytes: [Revision: [UInt8]] = [:]
        for revision in Revision.allCases {
            var writer = JSONWriter(capacity: 256 * items.count)
            writer.key(name)
            writer.beginArray()
            for item in items { write(item, &writer, revision) }
            writer.endArray()
            // Revisions without a difference share one copy.
            bytes[revision] = bytes.values.first { $0 == writer.bytes } ?? writer.bytes
        }
        self.bytes = bytes
    }

    func members(for revision: Revision) -> [UInt8] { bytes[revision] ?? [] }
}
