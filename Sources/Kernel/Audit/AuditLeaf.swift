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
                guard column.accepts(text) else { throw Self.unreadable(column) }
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
        guard let text else { return writer.nullMember(column.key) }
        if column.isJSON {
            writer.member(column.key, raw: text)
        } else {
            writer.member(column.key, string: text)
        }
    }

    private mutating func put(_ column: AuditColumn, _ time: Instant) {
        time.withUTF8 { writer.member(column.key, string: $0) }
    }

    private static func unreadable(_ column: AuditColumn) -> StorageError {
        .decode("\(column) is not a known value")
    }
}
