/// One row where it lies in the engine's memory, for walks over millions of
/// rows: nothing is copied, and text is not checked to be UTF-8.
///
/// Lent for one call. What its methods point to is gone when that call returns.
package struct RawRow: ~Copyable {
    enum Place {
        /// The present row of a statement.
        case sqlite(OpaquePointer)
        /// A row of a result in binary format.
        case postgres(OpaquePointer, Int32)
    }

    private let place: Place

    init(_ place: Place) { self.place = place }

    /// The bytes of a text, nil for NULL. Throws ``StorageError/decode(_:)`` when
    /// the cell holds something else.
    package func text(at index: Int) throws -> UnsafeBufferPointer<UInt8>? {
        switch place {
        case .sqlite(let statement): try SQLiteCells.text(statement, Int32(index))
        case .postgres(let result, let row): try PostgresCells.text(result, row, Int32(index))
        }
    }

    /// The bytes of a blob, as ``text(at:)``.
    package func bytes(at index: Int) throws -> UnsafeBufferPointer<UInt8>? {
        switch place {
        case .sqlite(let statement): try SQLiteCells.blob(statement, Int32(index))
        case .postgres(let result, let row): try PostgresCells.blob(result, row, Int32(index))
        }
    }

    /// An integer, nil for NULL. Throws as ``text(at:)``.
    package func int(at index: Int) throws -> Int? {
        switch place {
        case .sqlite(let statement): try SQLiteCells.int(statement, Int32(index))
        case .postgres(let result, let row): try PostgresCells.int(result, row, Int32(index))
        }
    }
}
