import CPostgres

/// Cells of a result in binary format, where libpq keeps them.
extension PostgresCells {
    static func text(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32
    ) throws -> UnsafeBufferPointer<UInt8>? {
        guard let cell = cell(result, row, column) else { return nil }
        switch PQftype(result, column) {
        // text, varchar, char(n), name
        case 25, 1043, 1042, 19: return cell
        default: throw unexpected("text", result, column)
        }
    }

    static func blob(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32
    ) throws -> UnsafeBufferPointer<UInt8>? {
        guard let cell = cell(result, row, column) else { return nil }
        guard PQftype(result, column) == 17 else { throw unexpected("bytes", result, column) }
        return cell
    }

    static func int(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> Int? {
        guard let cell = cell(result, row, column) else { return nil }
        let bytes = UnsafeRawBufferPointer(cell)
        switch PQftype(result, column) {
        case 20: return Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case 23: return Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case 21: return Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        default: throw unexpected("an integer", result, column)
        }
    }

    /// Nil for NULL, which has no length either.
    private static func cell(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32
    ) -> UnsafeBufferPointer<UInt8>? {
        let count = PQgetlength(result, row, column)
        if count == 0, PQgetisnull(result, row, column) == 1 { return nil }
        let raw = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(PQgetvalue(result, row, column)), count: Int(count))
        return raw.assumingMemoryBound(to: UInt8.self)
    }

    private static func unexpected(
        _ expected: String, _ result: OpaquePointer, _ column: Int32
    ) -> StorageError {
        let name = PQfname(result, column).map { String(cString: $0) } ?? "\(column)"
        return .decode("column \(name): expected \(expected)")
    }
}
