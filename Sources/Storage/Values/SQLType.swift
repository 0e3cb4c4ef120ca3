/// The declared type of a bind.
///
/// PostgreSQL is told the type of every parameter. Left to guess it would take
/// `$1 + 1` for a four-byte integer, and refuse `$1 IS NULL`.
package enum SQLType: UInt8, Sendable {
    case int, double, bool, text, bytes, json
    /// One bind that holds a list; see ``SQL``'s `\(in:)`.
    case intList, doubleList, textList
}
