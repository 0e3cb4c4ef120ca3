import CPostgres
import Glibc

/// Reads results of libpq, which come as text.
struct PostgresCells {
    /// How the text of a column is read.
    enum Kind {
        case int, numeric, double, bool, bytes, text

        init(oid: UInt32) {
            self =
                switch oid {
                case 20, 21, 23, 26: .int
                case 1700: .numeric
                case 700, 701: .double
                case 16: .bool
                case 17: .bytes
                default: .text
                }
        }
    }

    let columns: Columns
    let kinds: [Kind]

    init(_ result: OpaquePointer) {
        let fields = 0..<PQnfields(result)
        columns = Columns(fields.map { index in PQfname(result, index).map { String(cString: $0) } ?? "" })
        kinds = fields.map { Kind(oid: PQftype(result, $0)) }
    }

    func rows(_ result: OpaquePointer) -> Rows {
        let affected = PQcmdTuples(result).map { Int(String(cString: $0)) ?? 0 } ?? 0
        // PostgreSQL counts the rows of a SELECT here too.
        let isSelect =
            PQcmdStatus(result).map { strncmp($0, "SELECT", 6) == 0 || strncmp($0, "FETCH", 5) == 0 } ?? false
        guard !kinds.isEmpty else { return .empty(affected: affected) }
        let count = PQntuples(result)
        var cells: [SQLValue] = []
        cells.reserveCapacity(Int(count) * kinds.count)
        for row in 0..<count {
            for (column, kind) in kinds.enumerated() {
                cells.append(Self.cell(result, row, Int32(truncatingIfNeeded: column), kind))
            }
        }
        return Rows(columns: columns, cells: cells, affected: isSelect ? 0 : affected)
    }

    private static func cell(_ result: OpaquePointer, _ row: Int32, _ column: Int32, _ kind: Kind) -> SQLValue
    {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let start = UnsafeRawPointer(PQgetvalue(result, row, column))
        let raw = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        switch kind {
        case .int: return .int(integer(raw) ?? 0)
        case .bool: return .bool(raw.first == UInt8(ascii: "t"))
        case .bytes: return .bytes(bytes(raw))
        case .text: return .text(String(decoding: raw, as: UTF8.self))
        case .double: return .double(Double(String(decoding: raw, as: UTF8.self)) ?? .nan)
        case .numeric:
            // sum() of integers is numeric, and is an integer to us.
            return integer(raw).map(SQLValue.int)
                ?? .double(Double(String(decoding: raw, as: UTF8.self)) ?? .nan)
        }
    }

    /// Nil when it is not a whole number of 64 bits.
    private static func integer(_ raw: UnsafeRawBufferPointer) -> Int64? {
        guard raw.count < 19 else { return Int64(String(decoding: raw, as: UTF8.self)) }
        var value: Int64 = 0
        var isNegative = false
        for (index, byte) in raw.enumerated() {
            if index == 0, byte == UInt8(ascii: "-") {
                isNegative = true
                continue
            }
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return isNegative ? -value : value
    }

    /// `\x` and two hexadecimal digits for each byte.
    private static func bytes(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        let digits = raw.dropFirst(2)
        return [UInt8](unsafeUninitializedCapacity: digits.count / 2) { buffer, count in
            var high: UInt8?
            for digit in digits {
                let value = digit < 58 ? digit &- 48 : (digit | 32) &- 87
                if let first = high {
                    buffer[count] = first << 4 | value
                    count += 1
                    high = nil
                } else {
                    high = value
                }
            }
        }
    }
}
