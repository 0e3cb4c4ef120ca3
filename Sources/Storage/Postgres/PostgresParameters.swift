/// The values of one statement in the form libpq takes them.
struct PostgresParameters {
    /// Every value in turn, each with a zero after it.
    private var bytes: [CChar] = []
    /// Where each value begins; -1 for NULL.
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init() {}

    /// Throws as ``SQLText`` does.
    init(_ binds: [SQLBind]) throws {
        guard !binds.isEmpty else { return }
        bytes.reserveCapacity(binds.count * 32)
        offsets.reserveCapacity(binds.count)
        lengths.reserveCapacity(binds.count)
        formats.reserveCapacity(binds.count)
        for bind in binds {
            let start = bytes.count
            var format: Int32 = 0
            switch bind.value {
            case .null:
                offsets.append(-1)
                lengths.append(0)
                formats.append(0)
                continue
            case .int(let value): append(String(value))
            case .double(let value): append("\(value)")
            case .bool(let value): bytes.append(value ? 0x74 : 0x66)
            case .text(var value):
                try value.withUTF8 { utf8 in
                    try SQLText.check(utf8, bind.type)
                    utf8.withMemoryRebound(to: CChar.self) { bytes.append(contentsOf: $0) }
                }
            case .bytes(let value):
                value.withUnsafeBytes { raw in
                    raw.withMemoryRebound(to: CChar.self) { bytes.append(contentsOf: $0) }
                }
                format = 1
            }
            offsets.append(start)
            lengths.append(Int32(truncatingIfNeeded: bytes.count - start))
            formats.append(format)
            bytes.append(0)
        }
    }

    var count: Int32 { Int32(truncatingIfNeeded: offsets.count) }

    /// Lends the arrays for one call of libpq.
    func withPointers<Result>(
        _ body: (
            _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        guard !offsets.isEmpty else { return body(nil, nil, nil) }
        return bytes.withUnsafeBufferPointer { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: offsets.count) {
                pointers in
                for (index, offset) in offsets.enumerated() {
                    pointers.initializeElement(
                        at: index, to: offset < 0 ? nil : buffer.baseAddress.map { $0 + offset })
                }
                return body(UnsafePointer(pointers.baseAddress), lengths, formats)
            }
        }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
    }
}

extension SQLType {
    /// The type's identifier in `pg_type`.
    var oid: UInt32 {
        switch self {
        case .bool: 16
        case .bytes: 17
        case .int: 20
        case .text: 25
        case .double: 701
        case .textList: 1009
        case .intList: 1016
        case .doubleList: 1022
        case .json: 3802
        }
    }
}
