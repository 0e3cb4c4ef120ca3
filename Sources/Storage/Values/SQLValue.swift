/// One cell on its way to or from a database.
///
/// Both engines produce the same cases for the same data, except that SQLite
/// has no booleans: it answers `.int(0)` and `.int(1)`, which `Bool` accepts.
package enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case text(String)
    case bytes([UInt8])

    /// What the cell holds, without its content, so that it can be logged.
    var kind: String {
        switch self {
        case .null: "NULL"
        case .int: "an integer"
        case .double: "a number"
        case .bool: "a boolean"
        case .text: "text"
        case .bytes: "bytes"
        }
    }
}
