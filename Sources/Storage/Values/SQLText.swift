import Glibc

/// What text both databases can store.
enum SQLText {
    /// Throws ``StorageError/invalidValue(_:)`` for text with U+0000, and for
    /// JSON that spells it as an escape: PostgreSQL stores neither.
    static func check(_ utf8: UnsafeBufferPointer<UInt8>, _ type: SQLType) throws {
        guard let start = utf8.baseAddress, !utf8.isEmpty else { return }
        guard memchr(start, 0, utf8.count) == nil else {
            throw StorageError.invalidValue("text with U+0000 cannot be stored")
        }
        if type == .json, escapesZero(utf8) {
            throw StorageError.invalidValue("JSON with \\u0000 cannot be stored")
        }
    }

    /// Whether `\u0000` occurs where its backslash is not itself escaped.
    private static func escapesZero(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index + 5 < utf8.count {
            guard utf8[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            if utf8[index + 1] == UInt8(ascii: "u"), utf8[(index + 2)...(index + 5)].allSatisfy({ $0 == 48 })
            {
                return true
            }
            index += 2
        }
        return false
    }
}
