import JSON
import Storage

/// The bytes that the seal covers: one JSON object per entry, keys in this
/// order, without white space. An exported line is exactly these bytes, so
/// anybody can recompute `SHA-256(0x00 || line)`.
package struct AuditLeaf: Sendable {
    package let bytes: [UInt8]

    package init(_ entry: AuditEntry, seq: Int) {
        var writer = AuditLeafWriter()
        writer.write(entry, seq: seq)
        bytes = writer.bytes
    }

    package var hash: MerkleHash { .leaf(bytes) }
}

/// Writes leaves one after the other into the same buffer: the one definition
/// of their form, from an entry when it is sealed and from its row when it is
/// verified.
struct AuditLeafWriter {
    /// `"actor_id":` and so on, by ``AuditColumn``.
    private static let keys = AuditColumn.allCases.map { Array("\"\($0.name)\":".utf8) }
    private static let values = AuditColumn.allCases.map { column in
        column.values.map { values in values.map { Array($0.utf8) } }
    }

    private var writer = JSONWriter(capacity: 2_000)
    private let columns = AuditColumn.allCases

    /// The last leaf.
    var bytes: [UInt8] { writer.bytes }
    var hash: MerkleHash { .leaf(writer.bytes) }

    mutating func write(_ entry: AuditEntry, seq: Int) {
        begin(seq)
        for column in columns {
            if column == .timestamp {
                put(column, entry.timestamp)
            } else if var text = entry.text(column) {
                text.withUTF8 { put(column, $0) }
            } else {
                put(column, nil)
            }
        }
        writer.endObject()
    }

    /// Writes the leaf of a row of ``AuditLog/columns``, byte for byte as the
    /// cells are.
    ///
    /// Throws ``StorageError/decode(_:)`` when an ``AuditEntry`` cannot be read
    /// from it.
    mutating func write(_ row: borrowing RawRow, seq: Int) throws {
        begin(seq)
        for column in columns {
            if column == .timestamp {
                guard let time = try row.int(at: column.rawValue) else { throw Self.unreadable(column) }
                put(column, Instant(microseconds: Int64(time)))
            } else {
                let text = try row.text(at: column.rawValue)
                if let values = Self.values[column.rawValue] {
                    guard let text, values.contains(where: { $0.elementsEqual(text) }) else {
                        throw Self.unreadable(column)
                    }
                }
                put(column, text)
            }
        }
        writer.endObject()
    }

    private mutating func begin(_ seq: Int) {
        writer.restart()
        writer.beginObject()
        writer.key("seq")
        writer.int(seq)
    }

    private mutating func put(_ column: AuditColumn, _ text: UnsafeBufferPointer<UInt8>?) {
        writer.key(encoded: Self.keys[column.rawValue])
        guard let text else { return writer.null() }
        if column.isJSON { writer.raw(text) } else { writer.string(utf8: text) }
    }

    private mutating func put(_ column: AuditColumn, _ time: Instant) {
        writer.key(encoded: Self.keys[column.rawValue])
        writer.string(time.description)
    }

    private static func unreadable(_ column: AuditColumn) -> StorageError {
        .decode("column \(column.name): not a known value")
    }
}
