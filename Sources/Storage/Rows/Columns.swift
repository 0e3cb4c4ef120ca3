/// The column names of a result, shared by all its rows.
final class Columns: Sendable {
    let names: [String]

    init(_ names: [String]) { self.names = names }

    /// The first column of that name. Results are narrow, and comparing a few
    /// short strings is faster than hashing one.
    func index(of name: String) -> Int? { names.firstIndex(of: name) }

    /// The column a coding key stands for: `eventID`, `eventId` and `event_id`
    /// all mean `event_id`.
    func index(matching key: String) -> Int? {
        index(of: key) ?? names.firstIndex { Self.isSame($0, key) }
    }

    private static func isSame(_ column: String, _ key: String) -> Bool {
        var left = column.utf8.lazy.filter { $0 != UInt8(ascii: "_") }.makeIterator()
        var right = key.utf8.lazy.filter { $0 != UInt8(ascii: "_") }.makeIterator()
        while true {
            switch (left.next(), right.next()) {
            case (nil, nil): return true
            case (let a?, let b?) where lowered(a) == lowered(b): continue
            default: return false
            }
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }
}
